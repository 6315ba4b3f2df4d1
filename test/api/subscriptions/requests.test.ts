/** Subscriptions that wait for the owner of their source. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { app } from "../../../src/app.ts";
import { statusAfterChange, statusForSource } from "../../../src/api/subscriptions/requests.ts";
import type { Principal } from "../../../src/api/access/principal.ts";
import { NO_SCOPE } from "../../../src/store/access/keys.ts";
import { loadRoutingTable } from "../../../src/store/views/routing.ts";
import { explain } from "../../../src/routing/explain.ts";
import { buildTable } from "../../../src/routing/table.ts";
import { ORIGIN, type Resource, ask, must } from "../client.ts";
import { type TestKey, askWith, makeKey } from "../access/keys.ts";

const scope = { ...NO_SCOPE, sources: ["mine"] };
const subscriber: Principal = { id: "key_1", name: "s", role: "subscriber", scope };
const wide: Principal = { ...subscriber, scope: { ...scope, sources: ["*"] } };
const operator: Principal = { ...subscriber, scope: { ...scope, sources: ["sluice"] } };
const admin: Principal = { ...subscriber, role: "admin", scope: NO_SCOPE };

describe("the status of a new subscription", () => {
	test.each([
		[subscriber, "mine", "active", "active"],
		[subscriber, "mine", "paused", "paused"],
		[subscriber, "other", "active", "requested"],
		// Resumed, it would be active.
		[subscriber, "other", "paused", "requested"],
		[subscriber, null, "active", "requested"],
		[wide, null, "active", "active"],
		[wide, "results", "active", "active"],
		// What the router says of itself is about everybody's things.
		[wide, "sluice", "active", "requested"],
		[operator, "sluice", "active", "active"],
		[admin, "other", "active", "active"],
		[admin, null, "paused", "paused"],
	] as const)("%o to %s, %s: %s", (principal, source, wanted, status) => {
		expect(statusForSource(principal, source, wanted)).toBe(status);
	});
});

describe("the status after a change", () => {
	const MINE = { id: "src_m", name: "mine" };
	const OTHER = { id: "src_o", name: "other" };
	const ALL = { id: null, name: null };
	test.each([
		["no source is named", subscriber, "src_o", "requested", null, "requested"],
		["no source is named", subscriber, "src_o", "active", null, "active"],
		["the same source", subscriber, "src_o", "active", OTHER, "active"],
		["the same source", subscriber, "src_o", "paused", OTHER, "paused"],
		["another's source", subscriber, "src_m", "active", OTHER, "requested"],
		["another's source", subscriber, "src_m", "paused", OTHER, "requested"],
		["every source", subscriber, "src_m", "active", ALL, "requested"],
		["every source, as before", subscriber, null, "active", ALL, "active"],
		["its own source", subscriber, "src_o", "active", MINE, "active"],
		["its own source", subscriber, "src_o", "paused", MINE, "paused"],
		["its own source", subscriber, "src_o", "requested", MINE, "active"],
		["its own source", subscriber, "src_o", "denied", MINE, "active"],
		["the same, once more", subscriber, "src_o", "denied", OTHER, "requested"],
		// As with PUT: sending back what was read must not grant what was denied.
		["an admin names the same", admin, "src_o", "requested", OTHER, "requested"],
		["an admin names the same", admin, "src_o", "denied", OTHER, "denied"],
		["a key that covers it names the same", wide, "src_o", "denied", OTHER, "denied"],
		["an admin chooses another", admin, "src_o", "denied", MINE, "active"],
		["an admin names another", admin, "src_m", "paused", OTHER, "paused"],
	] as const)("%s", (_, principal, sourceId, status, source, after) => {
		expect(statusAfterChange(principal, { sourceId, status }, source)).toBe(after);
	});
});

async function shown(path: string): Promise<unknown> {
	const { status, status_reason } = await must("GET", path);
	return [status, status_reason];
}

function columnsOf(name: string): Promise<unknown> {
	return env.DB.prepare("SELECT enabled, request_state FROM subscriptions WHERE name = ?").bind(name).first();
}

describe("asking and granting", () => {
	let team: TestKey;
	let owner: TestKey;
	let stranger: TestKey;
	let source: Resource;
	let count = 0;

	beforeAll(async () => {
		source = await must("POST", "/v1/sources", { name: "orders" });
		await must("POST", "/v1/sources", { name: "team-own" });
		await must("POST", "/v1/endpoints", { name: "team-ocr", url: "https://models.example.com/" });
		const names = { endpoints: ["team-*"], subscriptions: ["team-*"] };
		team = await makeKey({ role: "subscriber", sources: ["team-own"], ...names });
		owner = await makeKey({ role: "publisher", sources: ["orders"] });
		stranger = await makeKey({ role: "publisher", sources: ["team-own"] });
	});

	/** A new subscription of the team; returns its path. */
	async function subscribe(fields: Record<string, unknown> = { source: "orders" }): Promise<string> {
		const name = `team-${++count}`;
		const answer = await askWith(team, "POST", "/v1/subscriptions", {
			name,
			endpoint: "team-ocr",
			...fields,
		});
		if (answer.status !== 201) throw new Error(answer.text);
		return `/v1/subscriptions/${name}`;
	}

	/** Whether routing takes an event of the source to it. */
	async function isMatched(path: string): Promise<boolean> {
		const { id } = await must("GET", path);
		const table = buildTable(await loadRoutingTable(env));
		return table.candidates(source.id, "t").some((candidate) => candidate.id === id);
	}

	test("a request matches nothing until the owner grants it", async () => {
		const path = await subscribe();
		expect(await shown(path)).toEqual(["requested", null]);
		expect(await isMatched(path)).toBe(false);
		expect((await askWith(owner, "GET", path)).body["status"]).toBe("requested");
		expect(await askWith(owner, "POST", `${path}/grant`)).toMatchObject({
			status: 200,
			body: { status: "active", status_reason: null },
		});
		expect(await isMatched(path)).toBe(true);
		// Again is the same.
		expect((await askWith(owner, "POST", `${path}/grant`)).body["status"]).toBe("active");
	});

	test("only the owner of that source, or an admin", async () => {
		const path = await subscribe();
		for (const key of [stranger, team, await makeKey({ role: "viewer" })]) {
			for (const action of ["grant", "deny"]) {
				expect((await askWith(key, "POST", `${path}/${action}`)).status).toBe(403);
			}
		}
		expect(await shown(path)).toEqual(["requested", null]);
		expect(await must("POST", `${path}/grant`)).toMatchObject({ status: "active" });
	});

	test("every source is for an owner of every source to grant", async () => {
		const path = await subscribe({});
		expect(await shown(path)).toEqual(["requested", null]);
		expect((await askWith(owner, "POST", `${path}/grant`)).status).toBe(403);
		const all = await makeKey({ role: "publisher", sources: ["*"] });
		expect((await askWith(all, "POST", `${path}/grant`)).body["status"]).toBe("active");
	});

	test("neither pausing and resuming nor any other change comes around a grant", async () => {
		const path = await subscribe({ source: "orders", status: "paused" });
		expect((await askWith(team, "POST", `${path}/pause`)).body["status"]).toBe("requested");
		for (const ask of [
			() => askWith(team, "POST", `${path}/resume`),
			() => askWith(owner, "POST", `${path}/deny`),
		]) {
			await ask();
			expect((await askWith(team, "POST", `${path}/resume`)).body["code"]).toBe("not_granted");
			await askWith(team, "PATCH", path, { types: ["a"] });
			expect(await isMatched(path)).toBe(false);
		}
		expect(await shown(path)).toEqual(["paused", "denied"]);
		expect((await ask("POST", `${path}/resume`)).status).toBe(409);
	});

	test("a denied subscription can be requested again, and a grant can be revoked", async () => {
		const path = await subscribe();
		await askWith(owner, "POST", `${path}/deny`);
		await askWith(team, "PATCH", path, { source: "orders" });
		expect(await shown(path)).toEqual(["requested", null]);
		await askWith(owner, "POST", `${path}/grant`);
		await askWith(owner, "POST", `${path}/deny`);
		expect(await shown(path)).toEqual(["paused", "denied"]);
		expect(await isMatched(path)).toBe(false);
	});

	test("another's source, on an active subscription, is a new request", async () => {
		const path = await subscribe({ source: "team-own" });
		expect(await shown(path)).toEqual(["active", null]);
		await askWith(team, "PATCH", path, { source: "orders" });
		expect(await shown(path)).toEqual(["requested", null]);
		await askWith(team, "PATCH", path, { source: "team-own" });
		expect(await shown(path)).toEqual(["active", null]);
	});

	test("a grant outlives a pause", async () => {
		const path = await subscribe();
		await askWith(owner, "POST", `${path}/grant`);
		await askWith(team, "POST", `${path}/pause`);
		expect(await shown(path)).toEqual(["paused", "manual"]);
		expect((await askWith(team, "POST", `${path}/resume`)).body["status"]).toBe("active");
	});

	test("an owner grants only what asks for its source, also if that changes at the same moment", async () => {
		const path = await subscribe();
		const moved = await must("POST", "/v1/sources", { name: `moved-${count}` });
		let reads = 0;
		const move = () =>
			env.DB.prepare("UPDATE subscriptions SET source_id = ? WHERE name = ?")
				.bind(moved.id, path.split("/").at(-1) ?? "")
				.run();
		// After the guard has looked at it, and before the grant is computed.
		const racing = new Proxy(env.DB, {
			get(target, name) {
				if (name !== "prepare") return (target[name as keyof D1Database] as () => unknown).bind(target);
				return (sql: string) => {
					const statement = target.prepare(sql);
					if (!sql.startsWith("SELECT * FROM subscriptions WHERE id") || ++reads !== 2) return statement;
					return {
						bind: (...bound: unknown[]) => ({
							first: () => move().then(() => statement.bind(...bound).first()),
						}),
					};
				};
			},
		});
		const request = new Request(`${ORIGIN}${path}/grant`, {
			method: "POST",
			headers: { authorization: `Bearer ${owner.key}` },
		});
		const response = await app.fetch(request, { ...env, DB: racing }, createExecutionContext());
		expect([response.status, reads]).toEqual([403, 2]);
		expect(await shown(path)).toEqual(["requested", null]);
	});

	test("explain says what it waits for", async () => {
		const path = await subscribe();
		const { id } = await must("GET", path);
		const attributes = { id: "e", source: "/t", type: "t" };
		const event = { id: "evt_1", sourceId: source.id, receivedAt: 0, attributes, data: null };
		const reasonOf = async () =>
			(await explain(env, event, { readNames: async () => new Map() })).find(
				({ subscription_id }) => subscription_id === id,
			)?.reason;
		expect(await reasonOf()).toBe("the owner of its source has not approved it yet");
		await askWith(owner, "POST", `${path}/deny`);
		expect(await reasonOf()).toBe("the owner of its source has denied it");
	});

	test("release 0.1 reads it as paused, and what a newer one writes cannot be resumed here", async () => {
		const path = await subscribe();
		const name = path.split("/").at(-1) ?? "";
		expect(await columnsOf(name)).toEqual({ enabled: 0, request_state: "requested" });
		await env.DB.prepare("UPDATE subscriptions SET request_state = 'escalated' WHERE name = ?")
			.bind(name)
			.run();
		expect(await shown(path)).toEqual(["requested", null]);
		expect((await ask("POST", `${path}/resume`)).status).toBe(409);
		// A Worker of release 0.1 knows one column, and nobody but the root key.
		await env.DB.prepare("UPDATE subscriptions SET enabled = 1 WHERE name = ?").bind(name).run();
		expect(await shown(path)).toEqual(["active", null]);
		await must("POST", `${path}/pause`);
		expect(await columnsOf(name)).toEqual({ enabled: 0, request_state: null });
	});
});
