import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { writeQuarantines } from "../../../src/store/quarantines/write-quarantines.ts";
import {
	evaluateOwned,
	findSetAside,
	type OwnedExpression,
} from "../../../src/events/expressions/quarantine.ts";
import { changeSource, changeSubscription } from "../../store/change.ts";
import type { Filter } from "../../../src/events/expressions/filters.ts";
import { readRoutingVersion } from "../../../src/store/views/routing.ts";
import { readCachedSource, cacheSource } from "../../../src/store/views/source-cache.ts";
import { findSource, insertSource } from "../../../src/store/resources/sources.ts";
import { findSubscription, insertSubscription } from "../../../src/store/resources/subscriptions.ts";
import { aSource, aSubscription } from "../../store/records.ts";

const HOSTILE = "($f := function($n) { $f($n + 1) }; $f(0))";
const REASON = "the expression takes too many steps, or reads or creates too much data";

afterEach(() => {
	vi.restoreAllMocks();
});

async function overrun(expression: OwnedExpression): Promise<void> {
	const evaluation = await evaluateOwned(expression, () => ({}));
	expect(evaluation).toEqual({ ok: false, overrun: true, message: `it is set aside: ${REASON}` });
}

function unread(): never {
	throw new Error("the expression is evaluated");
}

const target = { endpointId: "ep_1" };

describe("an expression that overruns", () => {
	test("is set aside at once, and is not evaluated again", async () => {
		const owner = aSubscription({ target });
		const expression = { owner, field: "transform", source: HOSTILE };
		await overrun(expression);
		expect(findSetAside(owner, "transform")).toEqual({ field: "transform", reason: REASON });
		expect(await evaluateOwned(expression, unread)).toMatchObject({ ok: false, overrun: true });
		// Another field, and another owner, are none of its business.
		expect(await evaluateOwned({ owner, field: "result.transform", source: "1" }, () => ({}))).toEqual({
			ok: true,
			value: 1,
		});
		expect(
			await evaluateOwned({ ...expression, owner: aSubscription({ target }), source: "1" }, () => ({})),
		).toEqual({ ok: true, value: 1 });
	});

	test("is tried again when its owner has changed", async () => {
		const owner = aSubscription({ target });
		await overrun({ owner, field: "transform", source: HOSTILE });
		const changed = { ...owner, updatedAt: owner.updatedAt + 1 };
		expect(await evaluateOwned({ owner: changed, field: "transform", source: "1" }, () => ({}))).toEqual({
			ok: true,
			value: 1,
		});
	});

	test("an ordinary failure sets nothing aside", async () => {
		const owner = aSubscription({ target });
		await evaluateOwned({ owner, field: "transform", source: "1 + 'a'" }, () => ({}));
		expect(findSetAside(owner, "transform")).toBeNull();
	});

	test("one that was stored and is refused now is set aside with its reason", async () => {
		const owner = aSubscription({ target });
		const source = "$contains(data.a, /a(?=b)/)";
		expect(await evaluateOwned({ owner, field: "transform", source }, () => ({}))).toMatchObject({
			ok: false,
			overrun: true,
			message: expect.stringMatching(/set aside: .*look-around is not supported.*\(at character 20\)/),
		});
	});
});

describe("D1", () => {
	const filters: Filter[] = [{ exact: { type: "a" } }, { all: [{ not: { jsonata: HOSTILE } }] }];

	test.each([
		["transform", { transform: HOSTILE }],
		["result.transform", { result: { type: null, transform: HOSTILE, maxHops: 8, allowCycles: false } }],
		["filters.1.all.0.not.jsonata", { filters }],
	])("keeps that %s of a subscription is set aside", async (field, changes) => {
		const owner = aSubscription({ target, ...changes });
		await insertSubscription(env, owner);
		const version = await readRoutingVersion(env);
		await overrun({ owner, field, source: HOSTILE });
		await writeQuarantines(env);
		const stored = await findSubscription(env, owner.id);
		expect(stored?.quarantine).toEqual({ field, reason: REASON, at: expect.any(Number) });
		expect(stored?.updatedAt).toBeGreaterThan(owner.updatedAt);
		expect(await readRoutingVersion(env)).toBeGreaterThan(version);
		await changeSubscription(owner.id, { quarantine: null });
		expect((await findSubscription(env, owner.id))?.quarantine).toBeNull();
	});

	test.each([
		["event_type", { eventType: `=${HOSTILE}` }],
		["subject", { subject: `=${HOSTILE}` }],
		["dedupe_key", { dedupeKey: HOSTILE }],
	])("keeps that %s of a source is set aside, and the copy in KV goes", async (field, changes) => {
		const owner = aSource(changes);
		await insertSource(env, owner);
		await cacheSource(env, owner);
		const stored = field === "dedupe_key" ? HOSTILE : `=${HOSTILE}`;
		await overrun({ owner, field, source: HOSTILE, stored });
		await writeQuarantines(env);
		const quarantine = { field, reason: REASON, at: expect.any(Number) };
		expect((await findSource(env, owner.id))?.quarantine).toEqual(quarantine);
		expect(await readCachedSource(env, owner.name)).toBeNull();
		await changeSource(owner.id, { quarantine: null });
		expect((await findSource(env, owner.id))?.quarantine).toBeNull();
	});

	test("keeps nothing about an expression that has been changed since", async () => {
		const owner = aSubscription({ target, transform: HOSTILE });
		await insertSubscription(env, owner);
		await overrun({ owner, field: "transform", source: HOSTILE });
		await changeSubscription(owner.id, { transform: "data" });
		await writeQuarantines(env);
		expect((await findSubscription(env, owner.id))?.quarantine).toBeNull();
	});

	test("keeps the first of two", async () => {
		const owner = aSource({ eventType: `=${HOSTILE}`, dedupeKey: HOSTILE });
		await insertSource(env, owner);
		await overrun({ owner, field: "event_type", source: HOSTILE, stored: `=${HOSTILE}` });
		await overrun({ owner, field: "dedupe_key", source: HOSTILE });
		await writeQuarantines(env);
		expect((await findSource(env, owner.id))?.quarantine?.field).toBe("event_type");
	});

	test("is reported once, however many evaluations overran at the same time", async () => {
		const owner = aSubscription({ target, transform: HOSTILE });
		await insertSubscription(env, owner);
		const expression = { owner, field: "transform", source: HOSTILE };
		await Promise.all([overrun(expression), overrun(expression), overrun(expression)]);
		const batch = vi.spyOn(env.DB, "batch");
		await writeQuarantines(env);
		await overrun(expression);
		await writeQuarantines(env);
		expect(batch).toHaveBeenCalledTimes(1);
	});

	test("a failed write fails nothing else, and is repeated by the next call", async () => {
		const owner = aSubscription({ target, transform: HOSTILE });
		await insertSubscription(env, owner);
		await overrun({ owner, field: "transform", source: HOSTILE });
		const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
		const outage = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: overloaded"));
		await writeQuarantines(env);
		expect(String(log.mock.calls[0]?.[0])).toContain("expression.unwritten");
		expect(findSetAside(owner, "transform")).not.toBeNull();
		outage.mockRestore();
		await writeQuarantines(env);
		expect((await findSubscription(env, owner.id))?.quarantine).toMatchObject({ field: "transform" });
	});

	test("with a quarantine in a form of another version is read, as if there was none", async () => {
		const owner = aSubscription({ target });
		await insertSubscription(env, owner);
		for (const column of ["not JSON", '{"of": "a newer version"}']) {
			await env.DB.prepare("UPDATE subscriptions SET quarantine = ? WHERE id = ?")
				.bind(column, owner.id)
				.run();
			expect((await findSubscription(env, owner.id))?.quarantine).toBeNull();
		}
	});
});
