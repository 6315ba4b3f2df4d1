import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import type { Env } from "../../src/env.ts";
import { forgetSource, lookUpSource } from "../../src/ingest/source-lookup.ts";
import { cacheSource, readCachedSource, uncacheSource } from "../../src/store/source-cache.ts";
import { insertSource } from "../../src/store/sources.ts";
import { makeSource } from "./make-source.ts";

const NOW = Date.now();

/** Bindings that fail when touched show where an answer cannot have come from. */
const withoutD1: Env = { ...env, DB: broken("D1") as D1Database };
const withoutKv: Env = { ...env, SOURCES: broken("KV") as KVNamespace };
const inMemoryOnly: Env = { ...withoutD1, SOURCES: broken("KV") as KVNamespace };

function broken(name: string): unknown {
	const fail = (): never => {
		throw new Error(`${name} was asked`);
	};
	return new Proxy({}, { get: () => fail });
}

async function lookUp(from: Env, ref: string, now = NOW): ReturnType<typeof lookUpSource> {
	const ctx = createExecutionContext();
	const source = await lookUpSource(from, ctx, ref, now);
	await waitOnExecutionContext(ctx);
	return source;
}

const secrets = [
	{ value: "new-secret", createdAt: 2, expiresAt: null },
	{ value: "old-secret", createdAt: 1, expiresAt: 3 },
];

test.each(["id", "name"] as const)("by %s: first from D1, then from KV, then from memory", async (field) => {
	const source = makeSource({ secrets, auth: { type: "header", name: "x-key" }, eventType: "t" });
	await insertSource(env, source);
	const ref = source[field];
	const stored = await lookUp(env, ref);
	expect(stored).toMatchObject({
		id: source.id,
		name: source.name,
		secrets,
		auth: source.auth,
		eventType: "t",
	});
	expect(await lookUp(inMemoryOnly, ref, NOW + 9_999)).toEqual(stored);
	expect(await lookUp(withoutD1, ref, NOW + 10_001)).toEqual(stored);
});

test("a change in this isolate is seen at once", async () => {
	const source = makeSource();
	await cacheSource(env, source);
	await lookUp(withoutD1, source.name);
	await cacheSource(env, { ...source, status: "disabled" });
	expect(await lookUp(withoutD1, source.name)).toMatchObject({ status: "active" });
	forgetSource(source);
	expect(await lookUp(withoutD1, source.name)).toMatchObject({ status: "disabled" });
});

test("an unknown name is remembered for two seconds", async () => {
	const source = makeSource();
	expect(await lookUp(env, source.name)).toBeNull();
	await insertSource(env, source);
	expect(await lookUp(env, source.name, NOW + 1_999)).toBeNull();
	expect(await lookUp(env, source.name, NOW + 2_001)).toMatchObject({ id: source.id });
});

test.each(["api", "results", "sluice", "src_api", "x".repeat(129)])(
	"%s is no source, and nothing is asked",
	async (ref) => {
		expect(await lookUp(inMemoryOnly, ref)).toBeNull();
	},
);

test("without KV, D1 answers", async () => {
	const source = makeSource();
	await insertSource(env, source);
	expect(await lookUp(withoutKv, source.name)).toMatchObject({ id: source.id });
});

test("a copy that was sealed with a lost key counts as none", async () => {
	const source = makeSource({ secrets });
	await insertSource(env, source);
	await cacheSource({ ...env, ADMIN_TOKEN: "former", ENCRYPTION_KEY: "lost" }, source);
	expect(await lookUp(env, source.name)).toMatchObject({ secrets });
});

describe("the copy in KV", () => {
	test("holds no secret in the clear", async () => {
		const source = makeSource({ secrets });
		await cacheSource(env, source);
		for (const ref of [source.id, source.name]) {
			const entry = await env.SOURCES.get(`source/${ref}`);
			expect(entry).toContain(source.name);
			expect(entry).not.toContain("-secret");
			expect(await readCachedSource(env, ref)).toEqual(source);
		}
	});

	test("goes under both names", async () => {
		const source = makeSource();
		await cacheSource(env, source);
		await uncacheSource(env, source);
		expect(await env.SOURCES.get(`source/${source.id}`)).toBeNull();
		expect(await env.SOURCES.get(`source/${source.name}`)).toBeNull();
	});

	test.each([
		["no JSON", "x"],
		["another shape", '{"id":"src_1"}'],
	])("is refused when it is %s", async (_what, entry) => {
		const { name } = makeSource();
		await env.SOURCES.put(`source/${name}`, entry);
		await expect(readCachedSource(env, name)).rejects.toThrow();
	});
});
