import { describe, expect, test } from "vitest";
import type { SluiceEvent } from "../../../src/events/event.ts";
import { decodeMessage, encodeReference } from "../../../src/events/queue/message.ts";
import { encodeSegment } from "../../../src/events/queue/segment.ts";

const EVENT: SluiceEvent = {
	id: "evt_1",
	sourceId: "src_1",
	receivedAt: 1,
	attributes: { id: "1", source: "/s", type: "t" },
	data: { kind: "json", text: '{"v":1,"spilled":{}}' },
};

test("a segment is read as its events", () => {
	expect(decodeMessage(encodeSegment([EVENT, { ...EVENT, data: null }]))).toEqual({
		kind: "events",
		events: [EVENT, { ...EVENT, data: null }],
	});
});

test("a reference names the event log and the key", () => {
	const text = encodeReference({ logId: "src_1", key: "k" });
	expect(text).toBe('{"v":1,"spilled":{"source_id":"src_1","key":"k"}}');
	expect(decodeMessage(text)).toEqual({ kind: "spilled", logId: "src_1", key: "k" });
});

describe("anything else is thrown out", () => {
	test.each([
		["no text", { v: 1 }],
		["nothing", undefined],
		["no JSON", "hello"],
		["another version", '{"v":2,"events":[]}\n'],
		["a reference without a key", '{"v":1,"spilled":{"source_id":"src_1"}}'],
		["a reference to nowhere", '{"v":1,"spilled":{"source_id":"","key":"k"}}'],
	])("%s", (_what, body) => {
		expect(() => decodeMessage(body)).toThrow();
	});
});
