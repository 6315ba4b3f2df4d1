/**
 * A complete path from a publisher to models, ready for load: through Sluice, or for comparison through the bare Worker
 * that only forwards. Both read the same queue with the same settings.
 */
import { Agent } from "node:http";
import { connect } from "../test/e2e/support/api.ts";
import { startReceiver } from "../test/e2e/support/receiver.ts";
import type { Behaviour, Model, ReceivedRequest } from "../test/e2e/support/receiver.ts";
import type { Shot } from "./load.ts";
import { startWorker } from "./worker.ts";

const KEY = "bench-root-key";

export interface Pipeline extends AsyncDisposable {
	/** A request that is accepted. Its payload of about 1 KB contains its number and the time when it was made. */
	shot: (number: number) => Shot;
	/** In the order of their behaviours. Each receives every event. */
	models: Model[];
	/** Connections to the Worker, kept open. */
	agent: Agent;
}

/** What `shot` writes and a model receives, unchanged. */
export interface Payload {
	number: number;
	/** ms since the epoch. */
	sentAt: number;
}

export function readPayload({ text }: ReceivedRequest): Payload {
	return JSON.parse(text) as Payload;
}

/** `endpoint` has fields for every endpoint besides its URL. */
export function startSluice(behaviours: readonly Behaviour[], endpoint: object = {}): Promise<Pipeline> {
	const worker = {
		config: "wrangler.toml",
		vars: () => ({ ADMIN_TOKEN: KEY, ALLOW_PRIVATE_ENDPOINTS: "true" }),
	};
	return start(behaviours, worker, async (origin, models) => {
		const api = connect(origin, KEY);
		const source = await api.createSource({ auth: { type: "bearer" } });
		for (const { url } of models) {
			const { id } = await api.createEndpoint({ url, protocol: "cloudevents", ...endpoint });
			await api.createSubscription({ endpoint: id, source: source.id });
		}
		return { url: `${origin}/in/${source.name}`, headers: { authorization: `Bearer ${source.secret}` } };
	});
}

export function startForwarder(behaviours: readonly Behaviour[]): Promise<Pipeline> {
	const worker = {
		config: "bench/forward/wrangler.toml",
		vars: (models: readonly Model[]) => ({ ENDPOINTS: models.map(({ url }) => url).join(",") }),
	};
	return start(behaviours, worker, async (origin) => ({ url: origin, headers: {} }));
}

interface WorkerOfPipeline {
	config: string;
	vars: (models: readonly Model[]) => Record<string, string>;
}

async function start(
	behaviours: readonly Behaviour[],
	{ config, vars }: WorkerOfPipeline,
	prepare: (origin: string, models: readonly Model[]) => Promise<Omit<Shot, "body">>,
): Promise<Pipeline> {
	await using held = new AsyncDisposableStack();
	const receiver = await startReceiver();
	held.defer(() => receiver.close());
	const models = behaviours.map((behaviour) => receiver.model(behaviour));
	const worker = await startWorker({ config, vars: vars(models), consumer: "own" });
	held.defer(() => worker.stop());
	const { url, headers } = await prepare(worker.url, models);
	const agent = new Agent({ keepAlive: true });
	held.defer(() => agent.destroy());
	// Everything is up. From here on the caller has to stop it.
	const kept = held.move();
	return {
		shot: (number) => ({
			url,
			headers: { "content-type": "application/json", ...headers },
			body: makeBody({ number, sentAt: Date.now() }),
		}),
		models,
		agent,
		[Symbol.asyncDispose]: () => kept.disposeAsync(),
	};
}

/** As large as a typical request of a database trigger. */
function makeBody(payload: Payload): Buffer {
	return Buffer.from(JSON.stringify({ ...payload, title: "scan", notes: "x".repeat(900) }));
}
