/**
 * The whole router with two additional routes. One passes a batch of generated events to the queue consumer, the other
 * only makes decisions. So a request from outside can time routing without ingest and without the queue.
 */
import type { Env } from "../../src/env.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { eventId } from "../../src/events/ids.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";
import { decide } from "../../src/routing/decide.ts";
import { routeBatch } from "../../src/routing/router.ts";
import { currentTable } from "../../src/routing/table.ts";
import router from "../../src/worker.ts";

export * from "../../src/worker.ts";

/** A built-in source, so that none has to be created first. */
const SOURCE_ID = "src_api";
const TYPE = "document.inserted";

export default {
	...router,
	async fetch(request, env, ctx) {
		const url = new URL(request.url);
		const count = Number(url.searchParams.get("events"));
		if (url.pathname === "/bench/route") return Response.json({ done: await route(count, env) });
		if (url.pathname === "/bench/decide") return Response.json({ done: await decideAll(count, env) });
		return router.fetch(request, env, ctx);
	},
} satisfies ExportedHandler<Env>;

/** One batch of `count` new events, one message each. Returns how many messages were acknowledged. */
async function route(count: number, env: Env): Promise<number> {
	const acknowledged = new Set<string>();
	const messages = Array.from({ length: count }, (): Message => {
		const event = makeEvent();
		return {
			id: event.id,
			timestamp: new Date(event.receivedAt),
			attempts: 1,
			body: encodeSegment([event]),
			ack: () => void acknowledged.add(event.id),
			retry: () => {},
		};
	});
	const metadata = { metrics: { backlogCount: 0, backlogBytes: 0 } };
	await routeBatch({ queue: "sluice-events", messages, metadata, ackAll() {}, retryAll() {} }, env);
	return acknowledged.size;
}

/** Decides `count` events one after the other. Returns how many decisions there were. */
async function decideAll(count: number, env: Env): Promise<number> {
	const table = await currentTable(env);
	const event = makeEvent();
	let decisions = 0;
	for (let made = 0; made < count; made += 1) decisions += (await decide(event, table)).length;
	return decisions;
}

function makeEvent(): SluiceEvent {
	const attributes = { id: crypto.randomUUID(), source: "/bench", type: TYPE };
	const record = { id: attributes.id, title: "scan", path: "scans/1.png", notes: "x".repeat(900) };
	return {
		id: eventId(SOURCE_ID, attributes),
		sourceId: SOURCE_ID,
		receivedAt: Date.now(),
		attributes,
		data: { kind: "json", text: JSON.stringify({ type: "INSERT", record }) },
	};
}
