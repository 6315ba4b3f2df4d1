import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import type { Env } from "../../../src/env.ts";
import type { ReadableSource } from "../../../src/store/records.ts";
import { insertSource } from "../../../src/store/resources/sources.ts";
import worker from "../../../src/worker.ts";
import { captureQueue } from "../../sources/capture.ts";
import { makeSource } from "../../sources/make-source.ts";

let logged: MockInstance<typeof console.log>;
beforeEach(() => {
	logged = vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
	vi.restoreAllMocks();
});

let count = 0;
/** The platform's limit on names, and no test before has used it. */
const newQueue = () => `uploads-${++count}-${crypto.randomUUID().slice(0, 8)}`;

async function stored(queue: string, changes: Partial<ReadableSource> = {}): Promise<ReadableSource> {
	const source = makeSource({ kind: "r2", settings: { queue }, ...changes });
	await insertSource(env, source);
	return source;
}

function notification(key: string): object {
	const object = { key, size: 65536, eTag: "c846ff7a18f28c2e262116d6e8719ef0" };
	return { account: "3f4b", action: "PutObject", bucket: "b", object, eventTime: "2024-05-24T19:36:44.379Z" };
}

/** Hands a batch to the Worker's handler; returns what became of each message. */
async function consume(queue: string, bodies: unknown[], bindings: Env = env) {
	const messages = bodies.map((body, index) => ({
		id: String(index),
		timestamp: new Date(),
		attempts: 1,
		body,
	}));
	const batch = createMessageBatch(queue, messages);
	await worker.queue(batch, bindings);
	return getQueueResult(batch, createExecutionContext());
}

test("notifications become events of the source that names the queue, in one message, and are acknowledged", async () => {
	const queue = newQueue();
	const source = await stored(queue);
	const captured = captureQueue();
	const result = await consume(queue, [notification("a.png"), notification("b.png")], captured.env);
	expect(result.explicitAcks).toEqual(["0", "1"]);
	expect(captured.messages).toHaveLength(1);
	expect(await captured.events()).toMatchObject([
		{
			sourceId: source.id,
			attributes: { type: "com.cloudflare.r2.PutObject", source: "/r2/3f4b/b", subject: "a.png" },
			data: { kind: "json", text: JSON.stringify(notification("a.png")) },
		},
		{ attributes: { subject: "b.png" } },
	]);
});

test("a message that comes twice is the same event", async () => {
	const queue = newQueue();
	await stored(queue);
	const captured = captureQueue();
	await consume(queue, [notification("a.png")], captured.env);
	await consume(queue, [notification("a.png")], captured.env);
	const [first, second] = await captured.events();
	expect(second?.id).toBe(first?.id);
});

test("a message sent as text keeps its spelling", async () => {
	const queue = newQueue();
	await stored(queue);
	const captured = captureQueue();
	const text = JSON.stringify(notification("a.png"), null, 1);
	await consume(queue, [text], captured.env);
	expect((await captured.events())[0]?.data).toEqual({ kind: "json", text });
});

test("a message that is not a notification is retried, and blocks no others", async () => {
	const queue = newQueue();
	await stored(queue);
	const captured = captureQueue();
	const bodies = [{ hello: "world" }, notification("a.png"), 42, undefined, { n: 1n }];
	const result = await consume(queue, bodies, captured.env);
	expect(result.explicitAcks).toEqual(["1"]);
	expect(result.retryMessages.map(({ msgId }) => msgId)).toEqual(["0", "2", "3", "4"]);
	expect(await captured.events()).toHaveLength(1);
});

describe("no source accepts the messages", () => {
	test.each([
		["no source names the queue", async () => undefined, "no source names this queue"],
		["the source is paused", (queue: string) => stored(queue, { status: "paused" }), "the source is paused"],
		[
			"a source of another kind has such a setting",
			(queue: string) => stored(queue, { kind: "generic" }),
			"no source names this queue",
		],
	])("they are retried when %s", async (_what, prepare, reason) => {
		const queue = newQueue();
		await prepare(queue);
		const captured = captureQueue();
		const result = await consume(queue, [notification("a.png")], captured.env);
		expect(result).toMatchObject({ retryBatch: { retry: true }, explicitAcks: [] });
		expect(captured.messages).toEqual([]);
		const line = { event: "ingest.unclaimed", queue, messages: 1, reason };
		expect(logged.mock.calls).toEqual([[JSON.stringify(line)]]);
	});
});

function fail(): never {
	throw new Error("D1 is down");
}

describe("while D1 fails", () => {
	const DB = new Proxy({}, { get: () => fail }) as D1Database;
	afterEach(() => {
		vi.useRealTimers();
	});

	test("the source that was found before takes the messages for hours", async () => {
		const queue = newQueue();
		const { id } = await stored(queue);
		const captured = captureQueue();
		await consume(queue, [notification("a.png")], captured.env);
		vi.setSystemTime(Date.now() + 23 * 3_600_000);
		const result = await consume(queue, [notification("b.png")], { ...captured.env, DB });
		expect(result.explicitAcks).toEqual(["0"]);
		expect(await captured.events()).toMatchObject([{}, { sourceId: id }]);
		expect(logged.mock.calls.flat().join()).toContain("ingest.stale_source");
	});

	test("but not if it was deleted, or never existed", async () => {
		const queue = newQueue();
		const { id } = await stored(queue);
		const captured = captureQueue();
		await consume(queue, [notification("a.png")], captured.env);
		await env.DB.prepare("DELETE FROM sources WHERE id = ?").bind(id).run();
		vi.setSystemTime(Date.now() + 10_001);
		await consume(queue, [notification("b.png")], captured.env);
		for (const name of [queue, newQueue()]) {
			await expect(consume(name, [notification("c.png")], { ...captured.env, DB })).rejects.toThrow(
				"D1 is down",
			);
		}
		expect(await captured.events()).toHaveLength(1);
	});
});

test("when the router's queue takes nothing, nothing is acknowledged", async () => {
	const queue = newQueue();
	await stored(queue);
	const captured = captureQueue(new Error("Queue send failed"));
	const result = await consume(queue, [notification("a.png")], captured.env);
	expect(result).toMatchObject({ retryBatch: { retry: true }, explicitAcks: [] });
	expect(logged.mock.calls.join()).toContain("queue_unavailable");
});
