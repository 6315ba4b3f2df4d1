import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import type { Env } from "../../src/env.ts";
import { newId } from "../../src/events/ids.ts";
import { currentTable } from "../../src/routing/table.ts";
import { routingMaxAgeMs } from "../../src/store/views/routing.ts";
import { insertSubscription } from "../../src/store/resources/subscriptions.ts";
import { findEndpoint, insertEndpoint } from "../../src/store/resources/endpoints.ts";
import { aSubscription, anEndpoint } from "../store/records.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

/** The same database as another binding, so that nothing is known of it; its queries are counted. */
function isolate(maxAge?: string): { env: Env; queries: () => number } {
	const DB = new Proxy(env.DB, {
		get: (target, name) => {
			const member: unknown = Reflect.get(target, name);
			return typeof member === "function" ? (member.bind(target) as unknown) : member;
		},
	});
	const prepare = vi.spyOn(env.DB, "prepare");
	const settings = { ...(maxAge !== undefined && { ROUTING_MAX_AGE_MS: maxAge }) };
	const { ROUTING_MAX_AGE_MS: _, ...rest } = env;
	return { env: { ...rest, ...settings, DB }, queries: () => prepare.mock.calls.length };
}

async function subscribe(): Promise<string> {
	const name = newId("sub");
	await insertSubscription(env, aSubscription({ name, target: { latestOf: "none" } }));
	return name;
}

async function names(table: ReturnType<typeof currentTable>): Promise<string[]> {
	return (await table).subscriptions.map(({ name }) => name);
}

test("within 250 ms of the start of a read nothing is read, afterwards one row", async () => {
	const { env, queries } = isolate();
	const at = 1_000_000;
	await currentTable(env, at);
	const first = queries();
	await currentTable(env, at + 249);
	expect(queries()).toBe(first);
	await currentTable(env, at + 250);
	expect(queries()).toBe(first + 1);
});

test("a change is seen once the reading is too old", async () => {
	const { env } = isolate();
	const at = 1_000_000;
	await currentTable(env, at);
	const name = await subscribe();
	expect(await names(currentTable(env, at + 249))).not.toContain(name);
	expect(await names(currentTable(env, at + 250))).toContain(name);
});

test("with an age of 0 every batch reads", async () => {
	const { env } = isolate("0");
	const at = 1_000_000;
	await currentTable(env, at);
	const name = await subscribe();
	expect(await names(currentTable(env, at))).toContain(name);
});

test("a reading that took long does not count from its end", async () => {
	const { env, queries } = isolate();
	await Promise.all([currentTable(env, 1_000_000), currentTable(env, 1_000_100)]);
	const before = queries();
	await currentTable(env, 1_000_349);
	expect(queries()).toBe(before);
	await currentTable(env, 1_000_351);
	expect(queries()).toBe(before + 1);
});

test("a clock that was set back does not keep an old table in force", async () => {
	const { env, queries } = isolate();
	await currentTable(env, 2_000_000);
	const before = queries();
	await currentTable(env, 1_000_000);
	expect(queries()).toBeGreaterThan(before);
});

test.each([
	[undefined, 250],
	["0", 0],
	["1000", 1_000],
	["-1", 250],
	["soon", 250],
	["3600000", 250],
])("ROUTING_MAX_AGE_MS %j is %d ms", (ROUTING_MAX_AGE_MS, ms) => {
	expect(routingMaxAgeMs({ ...(ROUTING_MAX_AGE_MS !== undefined && { ROUTING_MAX_AGE_MS }) })).toBe(ms);
});

test("of versions made in the same millisecond, the latest is the one that the API shows", async () => {
	const name = newId("ep").replace("_", "-");
	const createdAt = Date.now();
	for (const version of ["1", "2", "3", "4"]) {
		await insertEndpoint(env, anEndpoint({ name, version, createdAt }));
	}
	const subscription = aSubscription({ target: { latestOf: name } });
	await insertSubscription(env, subscription);
	const table = await currentTable(isolate().env, 1_000_000);
	const routed = table.endpointOf(subscription);
	expect(routed?.id).toBe((await findEndpoint(env, `${name}@latest`))?.id);
});
