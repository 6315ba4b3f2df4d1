import { describe, expect, test } from "vitest";
import { cutMerged, mergeNewest, type Read } from "../../../src/api/http/merge.ts";
import { decodeCursor, encodeCursor } from "../../../src/api/http/pages.ts";
import { Problem } from "../../../src/http/problem.ts";

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

	/** Answers what there is at once, or looks at no more than `look` positions in a call. */
	function reader(look = Number.MAX_SAFE_INTEGER): Read<{ position: number }> {
		return async (owner, { before = 1_000, limit }) => {
			asked.push({ owner, limit });
			const floor = Math.max(0, before - look);
			const items = (lists[owner] ?? [])
				.filter((position) => position < before && position >= floor)
				.slice(0, limit)
				.map((position) => ({ position }));
			return { items, rest: items.length < limit && floor > 0 ? floor : null };
		};
	}

	async function readAll(limit: number, read: Read<{ position: number }>) {
		const pages: string[][] = [];
		let cursor: string | undefined;
		while (pages.length < 1_000) {
			const after = decodeCursor("t", cursor);
			const found = await mergeNewest(Object.keys(lists), { after, limit: limit + 1 }, read);
			const { items, next } = cutMerged(found, limit);
			pages.push(items.map(({ owner, item }) => `${owner}${item.position}`));
			if (next === null) break;
			cursor = encodeCursor("t", next);
		}
		return pages;
	}

	// Equal positions stand at every border of one of these.
	test.each([1, 2, 3, 4, 5, 9, 10])("pages of %i show everything once, newest first", async (limit) => {
		const pages = await readAll(limit, reader());
		expect(pages.flat()).toEqual(all);
		expect(pages).toHaveLength(Math.ceil(all.length / limit));
	});

	test.each([
		[1, 1],
		[1, 3],
		[4, 2],
		[10, 1],
		[10, 30],
	])("pages of %i show everything once where a call looks at %i positions only", async (limit, look) => {
		const pages = await readAll(limit, reader(look));
		expect(pages.flat()).toEqual(all);
		// Nothing is there above 9: such pages are empty, and lead on.
		expect(pages[0]).toEqual([]);
	});

	test("no object is asked for more than fits on the page", async () => {
		asked.length = 0;
		await mergeNewest(Object.keys(lists), { after: null, limit: 3 }, reader());
		expect(asked).toEqual(Object.keys(lists).map((owner) => ({ owner, limit: 3 })));
	});
});
