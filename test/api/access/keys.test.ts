import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { type Resource, ask, badPaths, must, readIds } from "../client.ts";
import { type TestKey, askWith, makeKey } from "./keys.ts";

describe("making a key", () => {
	test("shows it once, in a form that scanners find", async () => {
		const created = await must<TestKey>("POST", "/v1/keys", {
			name: "team-a",
			role: "subscriber",
			sources: ["orders"],
			endpoints: ["team-a-*"],
			subscriptions: ["team-a-*", "old"],
		});
		expect(created).toEqual({
			id: expect.stringMatching(/^key_[0-9a-z]{10}$/),
			name: "team-a",
			role: "subscriber",
			sources: ["orders"],
			endpoints: ["team-a-*"],
			subscriptions: ["team-a-*", "old"],
			expires_at: null,
			last_used_at: null,
			created_at: expect.stringMatching(/Z$/),
			key: expect.stringMatching(/^sluice_[0-9a-z]{10}_[A-Za-z0-9_-]{43}$/),
		});
		const { key, ...shown } = created;
		expect(await must("GET", "/v1/keys/team-a")).toEqual(shown);
		expect(await must("GET", `/v1/keys/${created.id}`)).toEqual(shown);
		const everything = await env.DB.prepare("SELECT * FROM api_keys").all();
		expect(JSON.stringify(everything.results)).not.toContain(key.slice(-43));
		expect((await ask("GET", "/v1/keys")).text).not.toContain(key);
		expect((await ask("GET", "/v1/audit")).text).not.toContain(key);
	});

	test.each([
		["no role", {}, ["role"]],
		["an unknown role", { role: "king" }, ["role"]],
		["sources for an admin", { role: "admin", sources: ["a"] }, ["sources"]],
		["endpoints for a viewer", { role: "viewer", endpoints: [] }, ["endpoints"]],
		[
			"endpoints and subscriptions for a publisher",
			{ role: "publisher", endpoints: ["a"], subscriptions: ["a"] },
			["endpoints", "subscriptions"],
		],
		["the beginning of a source's name", { role: "publisher", sources: ["a*"] }, ["sources.0"]],
		["a * in the middle", { role: "subscriber", endpoints: ["ok", "a*b"] }, ["endpoints.1"]],
		["a name with what GLOB knows", { role: "subscriber", subscriptions: ["[a]*"] }, ["subscriptions.0"]],
		["a time in the past", { role: "viewer", expires_at: "2020-01-01T00:00:00Z" }, ["expires_at"]],
		["a name that looks like an id", { role: "viewer", name: "key_1" }, ["name"]],
		["the name of the root key", { role: "viewer", name: "root" }, ["name"]],
		["a key of one's own", { role: "viewer", key: "sluice_mine" }, ["key"]],
	])("%s is 422 and the field is named", async (_, fields, paths) => {
		const answer = await ask("POST", "/v1/keys", { name: "bad", ...fields });
		expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
		expect(badPaths(answer)).toEqual(paths);
	});

	test("a name that is taken is 409", async () => {
		await makeKey({ name: "taken", role: "viewer" });
		expect(await ask("POST", "/v1/keys", { name: "taken", role: "admin" })).toMatchObject({
			status: 409,
			body: { code: "name_taken", detail: "There is already a key named taken." },
		});
	});

	test("the list has pages, newest first", async () => {
		const made: Resource[] = [];
		for (let i = 0; i < 3; i++) made.push(await makeKey({ role: "viewer" }));
		const { ids } = await readIds("/v1/keys?limit=2", 2);
		expect(ids.slice(0, 3).sort()).toEqual(made.map(({ id }) => id).sort());
	});
});

describe("the end of a key", () => {
	test("a deleted key is 401, and its name is free again", async () => {
		const key = await makeKey({ name: "short-lived", role: "viewer" });
		expect((await askWith(key, "GET", "/v1/sources")).status).toBe(200);
		expect((await ask("DELETE", "/v1/keys/short-lived")).status).toBe(204);
		expect((await askWith(key, "GET", "/v1/sources")).status).toBe(401);
		expect(await ask("DELETE", "/v1/keys/short-lived")).toMatchObject({
			status: 404,
			body: { code: "key_not_found" },
		});
		await makeKey({ name: "short-lived", role: "viewer" });
	});

	test("a key with the id of another and chance of its own is 401", async () => {
		const key = await makeKey({ role: "admin" });
		const forged = { ...key, key: `${key.key.slice(0, -1)}${key.key.endsWith("A") ? "B" : "A"}` };
		expect((await askWith(forged, "GET", "/v1/sources")).status).toBe(401);
	});

	test("a role that only a newer release knows may do nothing", async () => {
		const key = await makeKey({ role: "admin" });
		await env.DB.prepare("UPDATE api_keys SET role = 'steward' WHERE id = ?").bind(key.id).run();
		// Another change makes this isolate read the keys anew.
		await makeKey({ role: "viewer" });
		expect((await askWith(key, "GET", "/v1/sources")).status).toBe(401);
		expect(await must("GET", `/v1/keys/${key.id}`)).toMatchObject({ role: null });
	});

	test("a scope that cannot be read covers nothing", async () => {
		const key = await makeKey({ role: "subscriber", endpoints: ["*"] });
		await must("POST", "/v1/endpoints", { name: "somebodys", url: "https://models.example.com/" });
		await env.DB.prepare("UPDATE api_keys SET scope = '7' WHERE id = ?").bind(key.id).run();
		await makeKey({ role: "viewer" });
		expect((await askWith(key, "GET", "/v1/endpoints")).body["data"]).toEqual([]);
		expect((await askWith(key, "GET", "/v1/endpoints/somebodys")).status).toBe(403);
	});
});

test("a key that is refused everything counts as used", async () => {
	const viewer = await makeKey({ role: "viewer" });
	expect((await askWith(viewer, "POST", "/v1/sources", { name: "refused" })).status).toBe(403);
	await vi.waitFor(async () =>
		expect(await must("GET", `/v1/keys/${viewer.id}`)).toMatchObject({
			last_used_at: expect.stringMatching(/Z$/),
		}),
	);
});

test("an admin's key may all that the root key may", async () => {
	const admin = await makeKey({ role: "admin" });
	expect((await askWith(admin, "POST", "/v1/keys", { name: "made-by-admin", role: "admin" })).status).toBe(
		201,
	);
	expect((await askWith(admin, "POST", "/v1/sources", { name: "made-by-admin" })).status).toBe(201);
});
