import fc from "fast-check";
import { expect, test } from "vitest";
import type { EventData, SluiceEvent } from "../../../src/events/event.ts";
import { decodeSegment, encodeSegment, splitBySize } from "../../../src/events/queue/segment.ts";

function event(id: string, data: EventData | null): SluiceEvent {
	return {
		id: `evt_${id}`,
		sourceId: "src_docs",
		receivedAt: 1_790_000_000_000,
		attributes: { id, source: "/docs", type: "document.inserted", priority: 3, urgent: true },
		data,
	};
}

const payload: fc.Arbitrary<EventData | null> = fc.oneof(
	fc.constant(null),
	fc.json({ maxDepth: 3 }).map((text) => ({ kind: "json" as const, text })),
	fc.string({ unit: "grapheme" }).map((text) => ({ kind: "text" as const, text })),
	fc.base64String().map((base64) => ({ kind: "binary" as const, base64 })),
);

test("a decoded segment equals the encoded one, for any payloads", () => {
	fc.assert(
		fc.property(fc.array(payload), (payloads) => {
			const events = payloads.map((data, index) => event(String(index), data));
			expect(decodeSegment(encodeSegment(events))).toEqual(events);
		}),
	);
});

test("a payload is in the segment unchanged and unescaped", () => {
	const text = '{"b": 9007199254740993,\n "a": 1.50, "path": "c:\\\\x \\"quoted\\""}';
	expect(encodeSegment([event("1", { kind: "json", text })]).endsWith(`\n${text}`)).toBe(true);
});

test("line breaks in attributes and payloads do not cut a segment short", () => {
	const odd = {
		...event("1", { kind: "text", text: "\n\n" }),
		attributes: { id: "\n", source: "\n", type: "\n" },
	};
	expect(decodeSegment(encodeSegment([odd, event("2", null)]))).toEqual([odd, event("2", null)]);
});

test("a text with a NUL leaves none in the segment, where a queue would cut it off, and comes back whole", () => {
	const events = [event("1", { kind: "text", text: "é\0y\0" }), event("2", { kind: "json", text: "[1]" })];
	const segment = encodeSegment(events);
	expect(segment).not.toContain("\0");
	expect(decodeSegment(segment)).toEqual(events);
});

test("a payload of nothing but NULs still fits where its size says", () => {
	const odd = event("1", { kind: "text", text: "\0".repeat(1_000_000) });
	expect(encodeSegment([odd]).length).toBeLessThan(1_400_000);
});

test.each(["", "{}", '{"v":2,"events":[]}\n', '{"v":1,"events":[{"id":1}]}\n'])(
	"%j is no segment",
	(text) => {
		expect(() => decodeSegment(text)).toThrow();
	},
);

test("a list is cut into runs that stay under the size, in order", () => {
	const events = Array.from({ length: 10 }, (_, index) =>
		event(String(index), { kind: "text", text: "é".repeat(500) }),
	);
	const runs = splitBySize(events, 5_000);
	expect(runs.flat()).toEqual(events);
	expect(runs.length).toBeGreaterThan(2);
	for (const run of runs) expect(Buffer.byteLength(encodeSegment(run))).toBeLessThanOrEqual(5_000);
});

test("an event larger than the size gets its own segment", () => {
	const large = event("2", { kind: "text", text: "x".repeat(10_000) });
	expect(splitBySize([event("1", null), large, event("3", null)], 2_000).map((run) => run.length)).toEqual([
		1, 1, 1,
	]);
});
