/**
 * How long an event takes from the publisher's request to its arrival at the model, at a steady rate, and whether
 * any is lost or comes twice on the way.
 */
import { Agent } from "node:http";
import { connect } from "../test/e2e/api.ts";
import { answer } from "../test/e2e/behaviours.ts";
import { startReceiver } from "../test/e2e/receiver.ts";
import { until } from "../test/e2e/until.ts";
import { post, sendSteadily } from "./load.ts";
import { quantile, round } from "./stats.ts";
import { startWorker } from "./worker.ts";

const KEY = "bench-root-key";
const WAIT_FOR_THE_LAST_MS = 30_000;

export interface LatencyOptions {
	perSecond: number;
	seconds: number;
}

export async function measureLatency({ perSecond, seconds }: LatencyOptions) {
	const worker = await startWorker({
		config: "wrangler.toml",
		vars: { ADMIN_TOKEN: KEY, ALLOW_PRIVATE_ENDPOINTS: "true" },
		consumer: "own",
	});
	const receiver = await startReceiver();
	const agent = new Agent({ keepAlive: true });
	try {
		const api = connect(worker.url, KEY);
		const model = receiver.model(answer(204));
		const source = await api.createSource({ auth: { type: "bearer" } });
		const endpoint = await api.createEndpoint({ url: model.url, protocol: "cloudevents" });
		await api.createSubscription({ endpoint: endpoint.id, source: source.id });

		const shot = {
			url: `${worker.url}/in/${source.name}`,
			headers: { "content-type": "application/json", authorization: `Bearer ${source.secret}` },
		};
		const sentAt: number[] = [];
		let refused = 0;
		await sendSteadily(perSecond, seconds, async (number) => {
			sentAt[number] = Date.now();
			const status = await post({ ...shot, body: Buffer.from(`{"number":${number}}`) }, agent);
			if (status !== 202) refused += 1;
		});
		const accepted = sentAt.length - refused;
		await until("the last events", () => model.requests.length >= accepted || null, WAIT_FOR_THE_LAST_MS)
			// Then they are counted as lost.
			.catch(() => null);

		const arrivals = model.requests.map(({ text, at }) => ({
			number: (JSON.parse(text) as { number: number }).number,
			at,
		}));
		const distinct = new Set(arrivals.map(({ number }) => number)).size;
		const latencies = arrivals.map(({ number, at }) => at - (sentAt[number] ?? Number.NaN));
		return {
			offered_per_second: perSecond,
			events: sentAt.length,
			refused,
			lost: accepted - distinct,
			duplicates: arrivals.length - distinct,
			p50_ms: round(quantile(latencies, 0.5), 0),
			p99_ms: round(quantile(latencies, 0.99), 0),
		};
	} finally {
		agent.destroy();
		await receiver.close();
		await worker.stop();
	}
}
