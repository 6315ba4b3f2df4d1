/** Keys in memory: how often D1 is asked, and how long an old word counts. Times are given, none is waited for. */
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { authenticate } from "../../../src/api/access/authenticate.ts";
import { hashOfKey, newKeyText } from "../../../src/api/access/key-text.ts";
import { forgetKeys, lookUpKey, noteUse } from "../../../src/api/access/keyring.ts";
import type { Env } from "../../../src/env.ts";
import { newId } from "../../../src/events/ids.ts";
import {
	type ApiKey,
	MAX_KEYS,
	NO_SCOPE,
	deleteKey,
	findKey,
	insertKey,
} from "../../../src/store/access/keys.ts";

const NOW = 1_700_000_000_000;

/** A database of an isolate of its own, which counts its queries and can fail. */
function isolate(): { env: Env; queries: () => number; fail: () => void } {
	let queries = 0;
	let fails = false;
	const DB = new Proxy(env.DB, {
		get(target, name) {
			const member: unknown = Reflect.get(target, name);
			if (typeof member !== "function") return member;
			return (...args: unknown[]) => {
				if (fails) throw new Error("D1 is down");
				if (name === "prepare" && String(args[0]).includes("api_keys")) queries++;
				return Reflect.apply(member, target, args) as unknown;
			};
		},
	});
	return { env: { ...env, DB }, queries: () => queries, fail: () => void (fails = true) };
}

async function aKey(fields: Partial<ApiKey> = {}): Promise<{ key: ApiKey; text: string }> {
	const id = newId("key");
	const text = newKeyText(id);
	const key: ApiKey = {
		id,
		name: id.replace("key_", "k-"),
		role: "publisher",
		scope: NO_SCOPE,
		hash: hashOfKey(text),
		expiresAt: null,
		lastUsedAt: null,
		createdAt: NOW,
		...fields,
	};
	expect(await insertKey(env, key)).toBe("inserted");
	return { key, text };
}

async function statusOf(env: Env, text: string, now: number): Promise<number> {
	const who = await authenticate(env, `Bearer ${text}`, now);
	return who.ok ? 200 : who.status;
}

test("a key that is known costs no query for 30 seconds", async () => {
	const { text } = await aKey();
	const one = isolate();
	for (const after of [0, 1, 10_000, 29_999]) expect(await statusOf(one.env, text, NOW + after)).toBe(200);
	expect(one.queries()).toBe(1);
	expect(await statusOf(one.env, text, NOW + 30_000)).toBe(200);
	expect(one.queries()).toBe(2);
});

test("a key that was deleted elsewhere works for 30 seconds at the most", async () => {
	const { key, text } = await aKey();
	const other = isolate();
	expect(await statusOf(other.env, text, NOW)).toBe(200);
	await deleteKey(env, key.id);
	expect(await statusOf(other.env, text, NOW + 30_000)).toBe(401);
	// A clock that went backwards does not make it work again.
	expect(await statusOf(other.env, text, NOW - 60_000)).toBe(401);
});

test("a new key works everywhere after two seconds", async () => {
	const other = isolate();
	await lookUpKey(other.env, "key_0000000000", NOW);
	const { text } = await aKey();
	expect(await statusOf(other.env, text, NOW + 2_000)).toBe(200);
});

test("an expired key stops at its time, whatever is remembered", async () => {
	const { text } = await aKey({ expiresAt: NOW + 5_000 });
	const one = isolate();
	expect(await statusOf(one.env, text, NOW + 4_999)).toBe(200);
	expect(await statusOf(one.env, text, NOW + 5_000)).toBe(401);
});

test("a flood of made-up keys asks D1 once in two seconds, and other words never", async () => {
	const one = isolate();
	for (let i = 0; i < 200; i++) {
		expect(await statusOf(one.env, newKeyText(newId("key")), NOW + i * 10)).toBe(401);
		expect(await statusOf(one.env, `sluice_${i}`, NOW + i * 10)).toBe(401);
	}
	expect(one.queries()).toBe(1);
});

test("however many come at once", async () => {
	const one = isolate();
	await statusOf(one.env, newKeyText(newId("key")), NOW);
	const flood = Array.from({ length: 50 }, () => statusOf(one.env, newKeyText(newId("key")), NOW + 2_000));
	expect(new Set(await Promise.all(flood))).toEqual(new Set([401]));
	expect(one.queries()).toBe(2);
});

test("while D1 fails, a key that is not known is to be sent again", async () => {
	const one = isolate();
	await statusOf(one.env, newKeyText(newId("key")), NOW);
	one.fail();
	for (const after of [2_000, 2_001]) {
		expect(await statusOf(one.env, newKeyText(newId("key")), NOW + after)).toBe(503);
	}
});

test("while D1 fails, no key is accepted from an older copy, and the root key needs no copy", async () => {
	const { text } = await aKey();
	const one = isolate();
	expect(await statusOf(one.env, text, NOW)).toBe(200);
	one.fail();
	expect(await statusOf(one.env, text, NOW + 29_999)).toBe(200);
	expect(await statusOf(one.env, text, NOW + 30_000)).toBe(503);
	expect(await statusOf(one.env, "test-token", NOW + 30_000)).toBe(200);
});

test("keys read before a change are not used after it", async () => {
	const { key, text } = await aKey();
	const one = isolate();
	const reading = lookUpKey(one.env, key.id, NOW);
	forgetKeys(one.env);
	await reading;
	await deleteKey(env, key.id);
	expect(await statusOf(one.env, text, NOW + 1)).toBe(401);
});

test("a use is written once in ten minutes, whichever isolate saw it", async () => {
	const { key } = await aKey();
	const writes = async (after: number, known: ApiKey) => {
		await noteUse(env, known, NOW + after);
		return (await findKey(env, key.id))?.lastUsedAt;
	};
	expect(await writes(0, key)).toBe(NOW);
	expect(await writes(599_999, key)).toBe(NOW);
	expect(await writes(600_000, key)).toBe(NOW + 600_000);
	// Another isolate, which has not heard of it, finds it in the row.
	const one = isolate();
	await noteUse(one.env, { ...key, id: key.id, lastUsedAt: NOW + 600_000 }, NOW + 700_000);
	expect(one.queries()).toBe(0);
});

test("a failure to write the last use fails no request", async () => {
	const { key } = await aKey();
	const one = isolate();
	one.fail();
	await noteUse(one.env, key, NOW);
});

test("the number of keys is limited", async () => {
	const rows = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${MAX_KEYS})
		INSERT OR IGNORE INTO api_keys SELECT 'key_' || i, 'many-' || i, 'viewer', '{}', '', NULL, NULL, i FROM n`;
	await env.DB.prepare(rows).run();
	const full = { ...(await findKey(env, "many-1")), id: newId("key"), name: "one-more" } as ApiKey;
	expect(await insertKey(env, full)).toBe("full");
	await env.DB.prepare("DELETE FROM api_keys").run();
	expect(await insertKey(env, full)).toBe("inserted");
});
