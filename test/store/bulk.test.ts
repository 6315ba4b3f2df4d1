import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { chunksOfRows, insertRows, updateRows } from "../../src/store/bulk.ts";

test.each([
	[[], []],
	[[1, 1, 1], [3]],
	[
		[300_000, 300_000, 1],
		[1, 2],
	],
	[
		[900_000, 1, 900_000],
		[1, 1, 1],
	],
])("rows of %j characters are chunks of %j rows", (lengths, sizes) => {
	const chunks = chunksOfRows(lengths.map((length) => ({ text: "x".repeat(length) })));
	expect(chunks.map(({ length }) => length)).toEqual(sizes);
});

test("rows are written as they are, and columns that are not named stay", async () => {
	const { DB } = env;
	await DB.exec(
		"CREATE TABLE bulk (id TEXT PRIMARY KEY, text TEXT, number INTEGER, updated_at INTEGER, revision INTEGER DEFAULT 1) STRICT",
	);
	const text = '{"a":[1,"é\u0001\\"]}';
	const rows = [
		{ id: "a", text, number: 9_007_199_254_740_991 },
		{ id: "b", text: null, number: 2 },
	];
	const never = { sql: "1 = ?", bound: [2] };
	await DB.batch([insertRows(DB, "bulk", rows), insertRows(DB, "bulk", [{ id: "c" }], never)]);
	const changes = [
		{ id: "a", number: null },
		{ id: "b", text: "t" },
	];
	await DB.batch([
		updateRows(DB, "bulk", changes, { now: 7, when: { sql: "1 = ?", bound: [1] } }),
		updateRows(DB, "bulk", [{ id: "a", text: "no" }], { now: 8, when: never }),
	]);
	expect((await DB.prepare("SELECT * FROM bulk ORDER BY id").all()).results).toEqual([
		{ id: "a", text, number: null, updated_at: 7, revision: 2 },
		{ id: "b", text: "t", number: 2, updated_at: 7, revision: 2 },
	]);
	await DB.exec("DROP TABLE bulk");
});
