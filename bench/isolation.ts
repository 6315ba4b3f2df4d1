/**
 * Whether a model that hangs makes others wait: how late events reach nine healthy endpoints while a tenth, which
 * gets every event too, takes requests and never answers; against ten healthy ones. All share one thread here, and
 * a hanging model gives it fewer answers to work on, so the ratio may fall a little below 1.
 */
import { Agent } from "node:http";
import { connect } from "../test/e2e/api.ts";
import { answer, hang } from "../test/e2e/behaviours.ts";
import { startReceiver } from "../test/e2e/receiver.ts";
import type { Behaviour, Model } from "../test/e2e/receiver.ts";
import { until } from "../test/e2e/until.ts";
import { post, sendSteadily } from "./load.ts";
import { median, quantile, round } from "./stats.ts";
import { startWorker } from "./worker.ts";

/** Of the design: the p99 at healthy endpoints, one of ten hanging against none. */
const BUDGET = 1.1;
const KEY = "bench-root-key";
const HEALTHY = 9;
/** Short, so that the hanging one runs into it, and into its retries, while others are measured. */
const TIMEOUT_SECONDS = 2;
const WAIT_FOR_THE_LAST_MS = 30_000;

export interface IsolationOptions {
	/** "prompt" leaves out the second that the queue waits for a fuller batch. */
	consumer: "own" | "prompt";
	/** Events; each goes to all ten endpoints. */
	perSecond: number;
	secondsPerRound: number;
	rounds: number;
}

export async function measureIsolation({ consumer, perSecond, secondsPerRound, rounds }: IsolationOptions) {
	const calm = await startTen(answer(204), consumer);
	const troubled = await startTen(hang, consumer).catch(async (error: unknown) => {
		await calm.stop();
		throw error;
	});
	try {
		const p50 = { calm: [] as number[], troubled: [] as number[] };
		const p99 = { calm: [] as number[], troubled: [] as number[] };
		// The first round warms up.
		for (let count = 0; count <= rounds; count += 1) {
			const order = count % 2 === 0 ? ([calm, troubled] as const) : ([troubled, calm] as const);
			for (const ten of order) {
				const latencies = await ten.publish(perSecond, secondsPerRound);
				if (count === 0) continue;
				const which = ten === calm ? "calm" : "troubled";
				p50[which].push(quantile(latencies, 0.5));
				p99[which].push(quantile(latencies, 0.99));
			}
		}
		return {
			events_per_second: perSecond,
			p50_ms: median(p50.troubled),
			p50_ms_none_hanging: median(p50.calm),
			p99_ms: median(p99.troubled),
			p99_ms_none_hanging: median(p99.calm),
			ratio: round(median(p99.troubled) / median(p99.calm), 2),
			budget: BUDGET,
			hanging_requests: troubled.tenth.requests.length,
			rounds: { p50, p99 },
		};
	} finally {
		await calm.stop();
		await troubled.stop();
	}
}

interface Ten {
	/** Publishes at a steady rate; answers how long each event took to each healthy endpoint, in ms. */
	publish(perSecond: number, seconds: number): Promise<number[]>;
	tenth: Model;
	stop(): Promise<void>;
}

/** A router of its own with ten endpoints, each with a subscription to every event. */
async function startTen(tenthDoes: Behaviour, consumer: "own" | "prompt"): Promise<Ten> {
	const worker = await startWorker({
		config: "wrangler.toml",
		vars: { ADMIN_TOKEN: KEY, ALLOW_PRIVATE_ENDPOINTS: "true" },
		consumer,
	});
	const receiver = await startReceiver();
	const agent = new Agent({ keepAlive: true });
	const stop = async () => {
		agent.destroy();
		await receiver.close();
		await worker.stop();
	};
	try {
		const api = connect(worker.url, KEY);
		const source = await api.createSource({ auth: { type: "bearer" } });
		const healthy = Array.from({ length: HEALTHY }, () => receiver.model(answer(204)));
		const tenth = receiver.model(tenthDoes);
		for (const { url } of [...healthy, tenth]) {
			const endpoint = await api.createEndpoint({
				url,
				protocol: "cloudevents",
				timeout_seconds: TIMEOUT_SECONDS,
			});
			await api.createSubscription({ endpoint: endpoint.id, source: source.id });
		}
		const shot = {
			url: `${worker.url}/in/${source.name}`,
			headers: { "content-type": "application/json", authorization: `Bearer ${source.secret}` },
		};
		return {
			async publish(perSecond, seconds) {
				for (const model of healthy) model.requests.length = 0;
				const sentAt: number[] = [];
				await sendSteadily(perSecond, seconds, async (number) => {
					sentAt[number] = Date.now();
					const status = await post({ ...shot, body: Buffer.from(`{"number":${number}}`) }, agent);
					if (status !== 202) throw new Error(`Ingest answered ${status}, not 202.`);
				});
				await until(
					"the last events",
					() => healthy.every(({ requests }) => requests.length >= sentAt.length) || null,
					WAIT_FOR_THE_LAST_MS,
				);
				return healthy.flatMap(({ requests }) =>
					requests.map(({ text, at }) => {
						const { number } = JSON.parse(text) as { number: number };
						return at - (sentAt[number] ?? Number.NaN);
					}),
				);
			},
			tenth,
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}
