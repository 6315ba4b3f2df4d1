import { describe, expect, test } from "vitest";
import { mergeNewest, placeOf } from "../../src/api/merge.ts";
import { cutPage, decodeCursor, encodeCursor } from "../../src/api/pages.ts";
import { Problem } from "../../src/problem.ts";

describe("cursors", () => {
	test("lead back to their place", () => {
		const place = { at: 1_700_000_000_000_123, id: "src_1" };
		expect(decodeCursor("events", encodeCursor("events", place))).toEqual(place);
		expect(decodeCursor("events", undefined)).toBeNull();
	});

	test.each([
		["nothing", ""],
		["noise", "%00"],
		["other JSON", Buffer.from("{}").toString("base64url")],
		["another version", Buffer.from('[2,"events",1,"a"]').toString("base64url")],
		["another list's", encodeCursor("sources", { at: 1, id: "a" })],
	])("%s is refused", (_, cursor) => {
		expect(() => decodeCursor("events", cursor)).toThrow(Problem);
	});
});

describe("merging lists", () => {
	const lists: Record<string, number[]> = { a: [9, 7, 5, 3], b: [9, 8, 5], c: [], d: [9, 1] };
	const all = ["a9", "b9", "d9", "b8", "a7", "a5", "b5", "a3", "d1"];
	const asked: { owner: string; limit: number }[] = [];

	async function read(owner: string, { before = Infinity, limit }: { before?: number; limit: number }) {
		asked.push({ owner, limit });
		const positions = lists[owner] ?? [];
		return positions
			.filter((position) => position < before)
			.slice(0, limit)
			.map((position) => ({ position }));
	}

	// Equal positions stand at every border of one of these.
	test.each([1, 2, 3, 4, 5, 9, 10])("pages of %i show everything once, newest first", async (limit) => {
		const seen: string[] = [];
		let cursor: string | undefined;
		for (let page = 0; page < 10; page++) {
			const after = decodeCursor("t", cursor);
			const found = await mergeNewest(Object.keys(lists), { after, limit: limit + 1 }, read);
			const { items, nextCursor } = cutPage("t", found, limit, placeOf);
			seen.push(...items.map(({ owner, item }) => `${owner}${item.position}`));
			if (nextCursor === null) break;
			cursor = nextCursor;
		}
		expect(seen).toEqual(all);
	});

	test("nobody is asked for more than fits on the page", async () => {
		asked.length = 0;
		await mergeNewest(Object.keys(lists), { after: null, limit: 3 }, read);
		expect(asked).toEqual(Object.keys(lists).map((owner) => ({ owner, limit: 3 })));
	});
});
