import { describe, expect, test } from "vitest";
import { isHigh, isStorageFull, roomFor, splitAt } from "../../../../src/delivery/ledger/inbox/limits.ts";
import type { IncomingEvent } from "../../../../src/delivery/ledger/inbox/incoming.ts";

const LIMITS = { deliveries: 10, bytes: 1_000 };

test.each([
	["nothing is there", { deliveries: 0, bytes: 0 }, 10],
	["some are there", { deliveries: 7, bytes: 500 }, 3],
	["as many as may be", { deliveries: 10, bytes: 0 }, 0],
	["more than may be, from before the limit", { deliveries: 25, bytes: 0 }, 0],
	["the bytes are just used up", { deliveries: 7, bytes: 1_000 }, 3],
	["there are too many bytes", { deliveries: 0, bytes: 1_001 }, 0],
])("room, when %s", (_, held, room) => {
	expect(roomFor(held, LIMITS)).toBe(room);
});

test.each([
	[79, false, false],
	[80, false, true],
	[100, false, true],
	// It has been high, and stays so a little longer.
	[79, true, true],
	[70, true, true],
	[69, true, false],
])("%d of 100, high before: %s, is high: %s", (owed, wasHigh, expected) => {
	expect(isHigh({ owed, limit: 100 }, wasHigh)).toBe(expected);
});

/** Events named by letters, with as many decisions as named. */
function items(counts: Record<string, number>): IncomingEvent[] {
	return Object.entries(counts).map(([id, count]) => ({
		event: { id, sourceId: "s", receivedAt: 0, attributes: { id, source: "s", type: "t" }, data: null },
		decisions: Array.from({ length: count }, (_, index) => ({
			deliveryId: `${id}${index}`,
			subscriptionId: "",
			subscriptionName: "",
			endpointId: "",
			endpointRef: "",
		})),
		storedAt: 5,
	}));
}

function idsOf(split: readonly IncomingEvent[]): string[] {
	return split.flatMap(({ decisions }) => decisions.map(({ deliveryId }) => deliveryId));
}

test.each([
	[0, [], ["a0", "a1", "b0", "b1", "b2"]],
	[2, ["a0", "a1"], ["b0", "b1", "b2"]],
	[3, ["a0", "a1", "b0"], ["b1", "b2"]],
	[5, ["a0", "a1", "b0", "b1", "b2"], []],
	[9, ["a0", "a1", "b0", "b1", "b2"], []],
])("with room for %i, the first ones are taken", (room, taken, refused) => {
	const split = splitAt(items({ a: 2, b: 3 }), room);
	expect(idsOf(split.taken)).toEqual(taken);
	expect(idsOf(split.refused)).toEqual(refused);
	for (const item of [...split.taken, ...split.refused]) {
		expect(item.storedAt).toBe(5);
		expect(item.decisions).not.toEqual([]);
	}
});

describe("an error of the storage", () => {
	test.each([
		["Error: database or disk is full: SQLITE_FULL", true],
		["Error: database or disk is full", true],
		["Error: too many SQL variables: SQLITE_ERROR", false],
		["Error: string or blob too big: SQLITE_TOOBIG", false],
	])("%s", (message, isFull) => {
		expect(isStorageFull(new Error(message))).toBe(isFull);
	});
});
