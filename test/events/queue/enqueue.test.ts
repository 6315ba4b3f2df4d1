import { describe, expect, test } from "vitest";
import { type EventData, MAX_EVENT_BYTES, type SluiceEvent } from "../../../src/events/event.ts";
import { eventId, newId } from "../../../src/events/ids.ts";
import { MAX_MESSAGE_BYTES, enqueue } from "../../../src/events/queue/enqueue.ts";
import { captureQueue } from "../../sources/capture.ts";

function makeEvent(sourceId: string, id: string, data: EventData | null): SluiceEvent {
	const attributes = { id, source: "/s", type: "t" };
	return { id: eventId(sourceId, attributes), sourceId, receivedAt: 1, attributes, data };
}

function text(length: number, char = "x"): EventData {
	return { kind: "text", text: char.repeat(length) };
}

test("a batch is one message", async () => {
	const queue = captureQueue();
	const sourceId = newId("src");
	const events = Array.from({ length: 500 }, (_, index) => makeEvent(sourceId, String(index), text(10)));
	expect(await enqueue(queue.env, events)).toEqual({ ok: true });
	expect(queue.messages).toHaveLength(1);
	expect(await queue.events()).toEqual(events);
});

describe("events beyond the size of a message go to the event log", () => {
	test.each([
		["one event just above", [text(MAX_MESSAGE_BYTES)]],
		["few characters of many bytes", [text(50_000, "€")]],
		[
			"the largest event, of bytes",
			[{ kind: "binary", base64: Buffer.alloc(MAX_EVENT_BYTES, 7).toString("base64") }],
		],
		["a batch of several rows", Array.from({ length: 20 }, () => text(100_000))],
	] satisfies [string, EventData[]][])("%s", async (_what, payloads) => {
		const queue = captureQueue();
		const sourceId = newId("src");
		const events = payloads.map((data, index) => makeEvent(sourceId, String(index), data));
		await enqueue(queue.env, events);
		expect(queue.messages).toHaveLength(1);
		expect(queue.messages[0]?.length).toBeLessThan(200);
		expect(await queue.events()).toEqual(events);
	});

	test("the same events are stored once, others that begin with the same event beside them", async () => {
		const queue = captureQueue();
		const sourceId = newId("src");
		const [first, second, third] = ["1", "2", "3"].map((id) => makeEvent(sourceId, id, text(100_000))) as [
			SluiceEvent,
			SluiceEvent,
			SluiceEvent,
		];
		await enqueue(queue.env, [first, second]);
		await enqueue(queue.env, [first, second]);
		await enqueue(queue.env, [first, third]);
		expect(queue.messages[0]).toBe(queue.messages[1]);
		expect(await queue.events()).toEqual([first, second, first, second, first, third]);
	});
});

test("data above the limit is refused, and nothing sent", async () => {
	const queue = captureQueue();
	const events = [makeEvent(newId("src"), "1", text(MAX_EVENT_BYTES + 1))];
	expect(await enqueue(queue.env, events)).toMatchObject({ ok: false, status: 413, code: "event_too_large" });
	expect(queue.messages).toEqual([]);
});

test.each([
	["Queue send failed: Too Many Requests", "1"],
	["Queue send failed: Storage Limit Exceeded", "5"],
	["Network connection lost.", "5"],
])("when the queue reports %j, the publisher is told when to retry", async (message, retryAfter) => {
	const queue = captureQueue(new Error(message));
	for (const size of [1, MAX_MESSAGE_BYTES]) {
		expect(await enqueue(queue.env, [makeEvent(newId("src"), "1", text(size))])).toMatchObject({
			ok: false,
			status: 503,
			code: "queue_unavailable",
			headers: { "retry-after": retryAfter },
		});
	}
});
