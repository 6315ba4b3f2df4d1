import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import type { Read } from "../../../src/api/http/merge.ts";
import { listedOwners, MAX_ASKED, type Owners, ownersOfTable } from "../../../src/api/http/owners.ts";
import { encodeCursor } from "../../../src/api/http/pages.ts";
import { readWalk } from "../../../src/api/http/walk.ts";
import { Problem } from "../../../src/http/problem.ts";
import { readLikelyEndpoints } from "../../../src/store/views/owners.ts";

/** Objects in place of the real ones: the positions that each has, newest first. */
const objects = new Map<string, number[]>();
/** Who was asked, page by page. */
let asked: Set<string>[] = [];

const read: Read<{ position: number }> = async (owner, { before = Number.MAX_SAFE_INTEGER, limit }) => {
	asked.at(-1)?.add(owner);
	const items = (objects.get(owner) ?? []).filter((position) => position < before).slice(0, limit);
	return { items: items.map((position) => ({ position })), rest: null };
};

/** The endpoint is `age` old: the larger, the older. */
function insert(id: string, age: number): D1PreparedStatement {
	return env.DB.prepare(
		`INSERT INTO endpoints (id, name, version, url, protocol, auth, headers, timeout_seconds, max_concurrency, retry,
			signing_secrets, status, created_at, updated_at)
		VALUES (?1, ?1, '1', '', 'http', '', '', 1, 1, '', '', 'active', ?2, ?2)`,
	).bind(id, 1_000_000 - age);
}

function subscribe(endpointId: string): D1PreparedStatement {
	return env.DB.prepare(
		`INSERT OR IGNORE INTO subscriptions (id, name, types, filters, endpoint_id, enabled, created_at, updated_at)
		VALUES (?1, ?1, '[]', '[]', ?2, 1, 0, 0)`,
	).bind(`sub_${endpointId}`, endpointId);
}

/** Every seventh is subscribed to, pairs are of the same age, and one position is everybody's. */
async function insertMany(count: number): Promise<string[]> {
	const ids = Array.from({ length: count }, (_, index) => `ep_${String(index).padStart(4, "0")}`);
	await env.DB.batch(ids.map((id, index) => insert(id, index >> 1)));
	await env.DB.batch(ids.filter((_, index) => index % 7 === 0).map(subscribe));
	for (const [index, id] of ids.entries()) objects.set(id, [9_000 - index, 5_000, 4_000 - index, index]);
	return ids;
}

function tableOwners(): Owners {
	return ownersOfTable(env, "endpoints", { likely: (limit) => readLikelyEndpoints(env, limit, null) });
}

/** All items of a list, page by page; `meanwhile` runs between two pages. */
async function readAll(
	owners: Owners,
	limit: number,
	{ meanwhile, start }: { meanwhile?: (page: number) => Promise<unknown>; start?: string } = {},
): Promise<string[][]> {
	const pages: string[][] = [];
	let cursor = start;
	while (pages.length < 2_000) {
		asked.push(new Set());
		const { items, nextCursor } = await readWalk("t", owners, { cursor, limit }, read);
		pages.push(items.map(({ owner, item }) => `${owner}:${item.position}`));
		if (nextCursor === null) break;
		cursor = nextCursor;
		await meanwhile?.(pages.length);
	}
	return pages;
}

function everything(ids: readonly string[]): string[] {
	return ids.flatMap((id) => (objects.get(id) ?? []).map((position) => `${id}:${position}`)).sort();
}

function positionOf(item: string): number {
	return Number(item.split(":")[1]);
}

/** Below position 5,000 of ep_0010, in the order of a list of all objects at once. */
function isBelow(item: string): boolean {
	const [owner = ""] = item.split(":");
	return positionOf(item) < 5_000 || (positionOf(item) === 5_000 && owner > "ep_0010");
}

beforeEach(async () => {
	// Makes the tables.
	await tableOwners().likely(1);
	await env.DB.batch([env.DB.prepare("DELETE FROM endpoints"), env.DB.prepare("DELETE FROM subscriptions")]);
	objects.clear();
	asked = [];
});

describe("with more objects than a page may ask", () => {
	test.each([
		["table", 1, 60],
		["table", 7, 120],
		["table", 50, 101],
		["table", 200, 151],
		["given", 7, 120],
		["given", 200, 151],
	])("those of a %s, pages of %i show everything of %i once", async (kind, limit, count) => {
		const ids = await insertMany(count);
		const pages = await readAll(kind === "table" ? tableOwners() : listedOwners(ids), limit);
		expect(pages.flat().toSorted()).toEqual(everything(ids));
		for (const owners of asked) expect(owners.size).toBeLessThanOrEqual(MAX_ASKED);
		for (const page of pages)
			expect(page.map(positionOf)).toEqual(page.map(positionOf).toSorted((left, right) => right - left));
	});

	test("those that events can come to are asked first", async () => {
		const ids = await insertMany(120);
		await readAll(tableOwners(), 200);
		for (const [index, id] of ids.entries()) if (index % 7 === 0) expect(asked[0]).toContain(id);
		expect(asked[0]?.size).toBe(MAX_ASKED);
	});

	test("pages of those with nothing are empty, and lead on", async () => {
		const ids = await insertMany(120);
		// Neither likely nor young.
		for (const id of ids) if (id !== "ep_0118") objects.set(id, []);
		const pages = await readAll(tableOwners(), 10);
		expect(pages[0]).toEqual([]);
		expect(pages.flat()).toHaveLength(4);
	});

	test("changes in the meantime cause neither duplicates nor gaps", async () => {
		const ids = await insertMany(150);
		const gone = new Set<string>();
		const pages = await readAll(tableOwners(), 9, {
			meanwhile: async (page) => {
				const id = ids[(page * 37) % ids.length] ?? "";
				const fresh = `ep_new_${page}`;
				objects.set(fresh, [20_000 + page]);
				const touch = env.DB.prepare("UPDATE endpoints SET updated_at = ? WHERE id = ?");
				await env.DB.batch([
					insert(fresh, -page),
					...(page % 2 === 0 ? [subscribe(fresh)] : []),
					touch.bind(2_000_000 + page, id),
					subscribe(id),
				]);
				if (page % 5 !== 0) return;
				gone.add(id);
				await env.DB.prepare("DELETE FROM endpoints WHERE id = ?").bind(id).run();
			},
		});
		const seen = pages.flat();
		expect(new Set(seen).size).toBe(seen.length);
		const wanted = everything(ids.filter((id) => !gone.has(id)));
		expect(wanted.filter((item) => !seen.includes(item))).toEqual([]);
		expect(gone.size).toBeGreaterThan(5);
		for (const owners of asked) expect(owners.size).toBeLessThanOrEqual(MAX_ASKED);
	});
});

test("with no more, the newest of all come first", async () => {
	const ids = await insertMany(MAX_ASKED);
	const pages = await readAll(tableOwners(), 13);
	const positions = pages.flat().map(positionOf);
	expect(positions).toEqual(positions.toSorted((left, right) => right - left));
	expect(pages.flat().toSorted()).toEqual(everything(ids));
});

test.each([30, 120])("a cursor of release 0.1 continues below its place, for %i objects", async (count) => {
	const ids = await insertMany(count);
	const start = encodeCursor("t", { at: 5_000, id: "ep_0010" });
	const seen = (await readAll(tableOwners(), 20, { start })).flat();
	expect(seen.toSorted()).toEqual(everything(ids).filter(isBelow));
});

test("a cursor may be part of a URL", async () => {
	await insertMany(120);
	asked.push(new Set());
	const { nextCursor } = await readWalk("t", tableOwners(), { cursor: undefined, limit: 1 }, read);
	expect(nextCursor).toMatch(/^[\w-]+$/);
	expect(nextCursor?.length).toBeLessThan(2_000);
});

test.each([
	["another list's", '[2,"u",null,[],null,null]'],
	[
		"one that names too many",
		JSON.stringify([2, "t", null, Array.from({ length: 51 }, () => "ep_1"), null, null]),
	],
	["one that lacks something", '[2,"t",null,[]]'],
	["noise", "x"],
])("%s is refused", async (_what, text) => {
	const cursor = Buffer.from(text).toString("base64url");
	await expect(readWalk("t", tableOwners(), { cursor, limit: 1 }, read)).rejects.toThrow(Problem);
});

test("a made-up block is no larger than a real one", async () => {
	const owners = listedOwners(Array.from({ length: 5 * MAX_ASKED }, (_, index) => `owner-${index}`));
	const asked = await owners.ofBlock({ first: { at: 0, id: "" }, last: { at: 1e9, id: "" } }, []);
	expect(asked).toHaveLength(MAX_ASKED);
});
