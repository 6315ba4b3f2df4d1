import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { app } from "../../../src/app.ts";
import { newId } from "../../../src/events/ids.ts";
import { type AuditEntry, insertAudits, listAudit, sweepAudit } from "../../../src/store/access/audit.ts";
import { ORIGIN, type Resource, ask, must, readIds } from "../client.ts";
import { askWith, makeKey } from "./keys.ts";

const SECRET = "whsec_c2x1aWNlIHNpZ25zIHdoYXQgaXQgc2VuZHM=";

interface Entry extends Resource {
	action: string;
	resource: string;
	at: string;
}

/** Oldest first, from one change of the test on. */
async function entries(query = ""): Promise<Entry[]> {
	const { data } = await must<{ data: Entry[] }>("GET", `/v1/audit?limit=200${query}`);
	return data.reverse();
}

beforeEach(async () => {
	// The table is there after any request.
	await must("GET", "/v1/audit");
	await env.DB.prepare("DELETE FROM audit").run();
});

async function steps(query = ""): Promise<string[]> {
	return (await entries(query)).map((entry) => `${entry.action} ${entry.resource} ${entry.name}`);
}

describe("recorded changes", () => {
	test("every change of a source, an endpoint, a subscription and a key", async () => {
		await must("POST", "/v1/sources", { name: "docs" });
		await must("PATCH", "/v1/sources/docs", { description: "scans" });
		await must("POST", "/v1/sources/docs/secret/rotate");
		await must("POST", "/v1/sources/docs/pause");
		await must("POST", "/v1/sources/docs/resume");
		await must("POST", "/v1/endpoints", { name: "ocr", version: "3", url: "https://models.example.com/" });
		await must("PATCH", "/v1/endpoints/ocr@3", { max_concurrency: 2 });
		await must("POST", "/v1/endpoints/ocr@3/secret/rotate");
		await must("POST", "/v1/endpoints/ocr@3/pause");
		await must("POST", "/v1/endpoints/ocr@3/resume");
		await must("POST", "/v1/subscriptions", { name: "read", source: "docs", endpoint: "ocr@3" });
		await must("PATCH", "/v1/subscriptions/read", { types: ["a"] });
		await must("POST", "/v1/subscriptions/read/pause");
		await must("POST", "/v1/subscriptions/read/resume");
		await must("POST", "/v1/subscriptions/read/deny");
		await must("POST", "/v1/subscriptions/read/grant");
		await must("DELETE", "/v1/subscriptions/read");
		await must("DELETE", "/v1/endpoints/ocr@3");
		await must("DELETE", "/v1/sources/docs");
		await must("POST", "/v1/keys", { name: "k", role: "viewer" });
		await must("DELETE", "/v1/keys/k");
		expect(await steps()).toEqual([
			"create source docs",
			"update source docs",
			"rotate_secret source docs",
			"pause source docs",
			"resume source docs",
			"create endpoint ocr@3",
			"update endpoint ocr@3",
			"rotate_secret endpoint ocr@3",
			"pause endpoint ocr@3",
			"resume endpoint ocr@3",
			"create subscription read",
			"update subscription read",
			"pause subscription read",
			"resume subscription read",
			"deny subscription read",
			"grant subscription read",
			"delete subscription read",
			"delete endpoint ocr@3",
			"delete source docs",
			"create key k",
			"delete key k",
		]);
	});

	test("an entry has the actor, and the resource before and after", async () => {
		const admin = await makeKey({ name: "ops", role: "admin" });
		const made = await must("POST", "/v1/sources", { name: "before" });
		await askWith(admin, "PATCH", "/v1/sources/before", { name: "after" }, { "cf-ray": "8f1-FRA" });
		const [created, changed] = await entries("&resource=source");
		expect(created).toMatchObject({
			actor: "root",
			actor_id: "root",
			resource_id: made.id,
			before: null,
			after: { id: made.id, name: "before" },
			request_id: null,
		});
		expect(changed).toEqual({
			id: expect.stringMatching(/^aud_/),
			at: expect.stringMatching(/Z$/),
			actor: "ops",
			actor_id: admin.id,
			action: "update",
			resource: "source",
			resource_id: made.id,
			name: "after",
			before: expect.objectContaining({ name: "before" }),
			after: expect.objectContaining({ name: "after" }),
			request_id: "8f1-FRA",
		});
	});

	test("entries contain no secret", async () => {
		await must("POST", "/v1/sources", { name: "s", secret: "publisher-secret", auth: { type: "url_token" } });
		await must("POST", "/v1/sources/s/secret/rotate", { secret: "another-secret" });
		await must("POST", "/v1/endpoints", {
			name: "e",
			url: "https://models.example.com/run?key=url-secret&b=1",
			auth: { type: "bearer", token: "endpoint-secret" },
			headers: { "x-api-key": "header-secret" },
			signing_secret: SECRET,
		});
		const { text } = await ask("GET", "/v1/audit");
		expect(text).toContain("https://models.example.com/run?***");
		const secrets = ["publisher-secret", "another-secret", "endpoint-secret", "header-secret", "url-secret"];
		for (const secret of [...secrets, SECRET]) expect(text).not.toContain(secret);
	});

	test("a request that changes nothing has no entry", async () => {
		await must("POST", "/v1/sources", { name: "still", status: "paused" });
		await must("POST", "/v1/sources/still/pause");
		await ask("POST", "/v1/sources", { name: "still" });
		await ask("PATCH", "/v1/sources/still", { name: "" });
		expect(await steps()).toEqual(["create source still"]);
	});

	test("starting and stopping a bulk job has entries, a dry run has none", async () => {
		await must("POST", "/v1/endpoints", { name: "bulked", url: "https://models.example.com/" });
		await must("POST", "/v1/deliveries/retry", { endpoint: "bulked@1", dry_run: true });
		const team = await makeKey({ name: "bulk-team", role: "subscriber", endpoints: ["bulked"] });
		const job = (await askWith(team, "POST", "/v1/deliveries/cancel", { endpoint: "bulked@1" })).body;
		expect(await entries("&resource=bulk")).toMatchObject([
			{
				action: "create",
				actor: "bulk-team",
				resource_id: job.id,
				name: null,
				before: null,
				after: { id: job.id, action: "cancel", filters: { endpoint: "bulked@1" } },
			},
		]);
	});

	test("deleting a resource that the database has lost has an entry", async () => {
		await must("DELETE", "/v1/endpoints/ep_1111111111");
		expect(await entries()).toMatchObject([
			{ action: "delete", resource_id: "ep_1111111111", name: null, before: null, after: null },
		]);
	});

	test("a failure to write the entry does not fail the change", async () => {
		const deaf = new Proxy(env.DB, {
			get(target, name) {
				const member: unknown = Reflect.get(target, name);
				if (typeof member !== "function") return member;
				return (...args: unknown[]) => {
					if (String(args[0]).includes("INTO audit")) throw new Error("D1 is full");
					return Reflect.apply(member, target, args) as unknown;
				};
			},
		});
		const request = new Request(`${ORIGIN}/v1/sources`, {
			method: "POST",
			headers: { authorization: "Bearer test-token", "content-type": "application/json" },
			body: '{"name":"unrecorded"}',
		});
		const response = await app.fetch(request, { ...env, DB: deaf }, createExecutionContext());
		expect(response.status).toBe(201);
	});
});

describe("reading it", () => {
	test("by kind, by thing, by who and by time, page by page", async () => {
		const admin = await makeKey({ name: "reader", role: "admin" });
		const source = await must("POST", "/v1/sources", { name: "one" });
		await askWith(admin, "POST", "/v1/sources", { name: "two" });
		expect(await steps("&resource=source")).toEqual(["create source one", "create source two"]);
		expect(await steps(`&resource=${source.id}`)).toEqual(["create source one"]);
		expect(await steps(`&actor=${admin.id}`)).toEqual(["create source two"]);
		expect(await steps("&actor=reader")).toEqual(["create source two"]);
		expect(await steps("&actor=root&resource=source")).toEqual(["create source one"]);
		const [first] = await entries("&resource=source");
		expect(await steps(`&resource=source&since=${first?.at}`)).toContain("create source one");
		expect(await steps(`&until=${first?.at}&resource=source`)).toEqual([]);
		const paged = await readIds("/v1/audit?limit=1&resource=source", 5);
		expect(paged).toMatchObject({ more: false });
		expect(paged.ids).toHaveLength(2);
		expect((await ask("GET", "/v1/audit?colour=red")).status).toBe(400);
	});

	test("is for admins and viewers", async () => {
		const [viewer, subscriber] = [await makeKey({ role: "viewer" }), await makeKey({ role: "subscriber" })];
		expect((await askWith(viewer, "GET", "/v1/audit")).status).toBe(200);
		expect((await askWith(subscriber, "GET", "/v1/audit")).status).toBe(403);
	});
});

async function kept(): Promise<number[]> {
	const found = await listAudit(env, {}, { after: null, limit: 100 });
	return found.map(({ createdAt }) => createdAt);
}

describe("its length", () => {
	const NOW = 1_700_000_000_000;
	const DAY = 86_400_000;

	function anEntry(fields: Partial<AuditEntry> = {}): AuditEntry {
		return {
			id: newId("aud"),
			createdAt: NOW,
			actorId: "root",
			actor: "root",
			action: "update",
			resource: "source",
			resourceId: "src_1",
			name: "s",
			before: null,
			after: null,
			requestId: null,
			...fields,
		};
	}

	test("keeps entries of 400 days, up to the maximum number", async () => {
		await insertAudits(
			env,
			[401, 399, 2, 1, 0].map((age) => anEntry({ createdAt: NOW - age * DAY })),
		);
		await sweepAudit(env, "root", NOW);
		expect(await kept()).toEqual([0, 1, 2, 399].map((age) => NOW - age * DAY));
		await sweepAudit(env, "root", NOW, { ofActor: 10, inAll: 2 });
		expect(await kept()).toEqual([NOW, NOW - DAY]);
	});

	test("a key that changes a lot pushes out its own entries only", async () => {
		await insertAudits(env, [anEntry({ createdAt: NOW - 9 })]);
		for (const age of [8, 7, 6, 5]) {
			await insertAudits(env, [anEntry({ createdAt: NOW - age, actorId: "key_noisy", actor: "noisy" })]);
		}
		await sweepAudit(env, "key_noisy", NOW, { ofActor: 2, inAll: 10 });
		expect(await kept()).toEqual([NOW - 5, NOW - 6, NOW - 9]);
	});

	test("a resource that is too large is left out, and the entry says so", async () => {
		const after = { id: "src_1", description: "x".repeat(40_000) };
		await insertAudits(env, [anEntry({ before: { id: "src_1" }, after })]);
		const [entry] = await listAudit(env, {}, { after: null, limit: 1 });
		expect(entry).toMatchObject({ before: { id: "src_1" }, after: { id: "src_1", omitted: "too_large" } });
	});
});
