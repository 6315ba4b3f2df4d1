import { expect, test } from "vitest";
import { diagnose } from "../../src/dead-letters/diagnosis.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { eventId } from "../../src/events/ids.ts";
import { encodeReference } from "../../src/events/queue/message.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";

function events(count: number): SluiceEvent[] {
	return Array.from({ length: count }, (_, number) => {
		const attributes = { id: String(number), source: "/s", type: "t" };
		const id = eventId("src_docs", attributes);
		return { id, sourceId: "src_docs", receivedAt: 0, attributes, data: { kind: "text", text: "secret" } };
	});
}

test("a message that can be read names its source and its events, up to a hundred", () => {
	const all = events(120);
	expect(diagnose(encodeSegment(all))).toMatchObject({
		code: "routing_failed",
		sourceId: "src_docs",
		eventIds: all.slice(0, 100).map(({ id }) => id),
		eventCount: 120,
	});
});

test("one whose events are elsewhere names the source", () => {
	const body = encodeReference({ logId: "src_results3", key: "k" });
	expect(diagnose(body)).toMatchObject({
		code: "routing_failed",
		sourceId: "src_results",
		eventIds: [],
		eventCount: null,
	});
});

test.each([
	["not JSON: secret", "its first line is not JSON"],
	['{"v":2,"events":[]}\nsecret', "v"],
	['{"v":1,"spilled":{}}', "source_id"],
	[{ text: "secret" }, "a queue message is text, not object"],
	[new ArrayBuffer(3), "a queue message is text, not object"],
])("what cannot be read says why, and nothing of its payload: %#", (body, said) => {
	const { code, message, sourceId, eventIds } = diagnose(body);
	expect({ code, sourceId, eventIds }).toEqual({ code: "unreadable", sourceId: null, eventIds: [] });
	expect(message).toContain(said);
	expect(message).not.toContain("secret");
	expect(message.length).toBeLessThanOrEqual(500);
});
