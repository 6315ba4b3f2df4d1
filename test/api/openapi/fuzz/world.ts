/**
 * The router that the fuzz asks: the real application, database and objects; but the queue and the puller only count, so
 * that nothing goes on by itself. And what is stored, as one text to compare.
 */
import { env } from "cloudflare:workers";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { app } from "../../../../src/app.ts";
import { deadLetters, dispatcher } from "../../../../src/objects/clients.ts";
import type { Env } from "../../../../src/env.ts";

/** But for when a key was last used; of what only grows, how much there is. */
const QUERIES = [
	...["sources", "endpoints", "subscriptions", "meta"].map((table) => `SELECT * FROM ${table}`),
	"SELECT id, name, role, scope, hash, expires_at FROM api_keys",
	"SELECT (SELECT count(*) FROM audit), (SELECT count(*) FROM deleted), (SELECT count(*) FROM idempotency)",
];

export interface Told {
	status: number;
	contentType: string | null;
	headers: Headers;
	text: string;
}

export class World {
	/** Endpoints whose deliveries are compared, by id. */
	endpointIds: readonly string[] = [];
	/** Messages that the queue has taken. */
	queued = 0;
	readonly #env: Env;

	constructor() {
		const count = async () => {
			this.queued += 1;
			return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
		};
		const queue = {
			send: count,
			sendBatch: count,
			metrics: async () => ({ backlogCount: 0, backlogBytes: 0 }),
		} as unknown as Queue<string>;
		const puller = {
			refresh: async () => {},
			status: async () => ({ status: "running", lastError: null, lastMessageAt: null }),
		};
		const pullers = { idFromName: (name: string) => name, get: () => puller, getByName: () => puller };
		const jobs = { JOBS: queue };
		this.#env = {
			...env,
			...jobs,
			EVENTS: queue,
			EVENTS_DLQ: queue,
			PULLER: pullers as unknown as Env["PULLER"],
		};
	}

	/** Waits for what the router does behind its response, too. */
	async ask(request: Request): Promise<Told> {
		const ctx = createExecutionContext();
		const response = await app.fetch(request, this.#env, ctx);
		const text = await response.text();
		await waitOnExecutionContext(ctx);
		const { status, headers } = response;
		return { status, contentType: headers.get("content-type"), headers, text };
	}

	/**
	 * All rows, the dead letters, the deliveries, and how much was queued; but under which names the router was called is
	 * learned from every request. The copies of sources are a cache, which a refused request may fill.
	 */
	async stored(): Promise<string> {
		const rows = await env.DB.batch(QUERIES.map((query) => env.DB.prepare(query)));
		const { items } = await deadLetters(env).list({ limit: 100 });
		const letters = items.map(({ id }) => id);
		const deliveries = await Promise.all(this.endpointIds.map(deliveriesOf));
		return JSON.stringify([this.queued, letters, deliveries, rows.map(({ results }) => results)]);
	}
}

/** How far each delivery of an endpoint has come. */
async function deliveriesOf(endpointId: string): Promise<string[]> {
	const { items } = await dispatcher(env, endpointId).list({ limit: 100 });
	return items.map(({ id, status, reason, attempts }) => `${id} ${status} ${reason} ${attempts.length}`);
}
