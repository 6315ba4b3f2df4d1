/** PUT of sources, endpoints and subscriptions: created, or replaced but for what stays. */
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { findEndpoint } from "../../src/store/resources/endpoints.ts";
import { findSource } from "../../src/store/resources/sources.ts";
import { askWith, makeKey } from "./access/keys.ts";
import { type Answer, type Resource, ask, badPaths, must } from "./client.ts";

const URL = "https://models.example.com/";
const SECRET = "whsec_c2x1aWNlIHNpZ25zIHdoYXQgaXQgc2VuZHM=";

let names = 0;
let name: string;
beforeEach(() => {
	name = `put-${++names}`;
});

async function auditCount(id: string): Promise<number> {
	const { data } = await must<{ data: Resource[] }>("GET", `/v1/audit?resource=${id}`);
	return data.length;
}

function send(method: string, path: string, ifMatch: string, body?: unknown) {
	return ask(method, path, body, { "if-match": ifMatch });
}

function tagOf({ headers }: Answer): string {
	return headers.get("etag") ?? "";
}

describe("a source", () => {
	test("is made with its secret, and replaced without", async () => {
		const made = await ask("PUT", `/v1/sources/${name}`, { description: "one", event_type: "a" });
		expect(made).toMatchObject({
			status: 201,
			body: { name, description: "one", secret: expect.any(String) },
		});
		expect(made.headers.get("etag")).toMatch(/^"1-/);
		const replaced = await ask("PUT", `/v1/sources/${name}`, { name, event_type: "b" });
		expect(replaced).toMatchObject({
			status: 200,
			body: { id: made.body.id, created_at: made.body["created_at"], description: null, event_type: "b" },
		});
		expect(replaced.body).not.toHaveProperty("secret");
		expect(replaced.headers.get("etag")).toMatch(/^"2-/);
		const [stored] = (await findSource(env, name))?.secrets ?? [];
		expect(stored?.value).toBe(made.body["secret"]);
	});

	test("that changes nothing writes nothing", async () => {
		const body = { kind: "standard-webhooks", settings: { subject: "/data/id" }, secret: SECRET };
		const { body: made } = await ask("PUT", `/v1/sources/${name}`, body);
		const again = await ask("PUT", `/v1/sources/${name}`, body);
		expect(again).toMatchObject({ status: 200, body: { updated_at: made["updated_at"] } });
		expect(again.headers.get("etag")).toMatch(/^"1-/);
		expect(await auditCount(made.id)).toBe(1);
	});

	test("that is paused stays so unless the body says otherwise", async () => {
		await ask("PUT", `/v1/sources/${name}`, { status: "paused" });
		const still = await ask("PUT", `/v1/sources/${name}`, { description: "x" });
		expect(still.body).toMatchObject({ status: "paused", description: "x" });
		expect((await ask("PUT", `/v1/sources/${name}`, { status: "active" })).body["status"]).toBe("active");
	});

	test("gets another secret where one is named that is not its own", async () => {
		await ask("PUT", `/v1/sources/${name}`, { secret: "first-secret" });
		await ask("PUT", `/v1/sources/${name}`, { secret: "other-secret" });
		const stored = (await findSource(env, name))?.secrets ?? [];
		expect(stored.map(({ value }) => value)).toEqual(["other-secret"]);
	});

	test.each([
		["another name than the path", () => `/v1/sources/${name}`, { name: "other" }, 422, ["name"]],
		["a name that is built in", () => "/v1/sources/api", {}, 422, ["name"]],
		["no name", () => "/v1/sources/a%20b", {}, 422, ["name"]],
		["an unknown field", () => `/v1/sources/${name}`, { kinds: 1 }, 422, ["kinds"]],
		["an id that nobody has", () => "/v1/sources/src_0000000000", {}, 404, []],
		["no object", () => `/v1/sources/${name}`, "[]", 422, [""]],
	])("with %s is refused", async (_, path, body, status, paths) => {
		const answer = await ask("PUT", path(), body);
		expect(answer.status).toBe(status);
		expect(badPaths(answer)).toEqual(paths);
	});

	test("is replaced by its id, and may be renamed so", async () => {
		const { id } = await must("PUT", `/v1/sources/${name}`, {});
		expect((await ask("PUT", `/v1/sources/${id}`, { description: "x" })).body).toMatchObject({
			name,
			description: "x",
		});
		expect((await ask("PUT", `/v1/sources/${id}`, { name: `${name}-new` })).body).toMatchObject({
			id,
			name: `${name}-new`,
			description: null,
		});
	});
});

describe("an endpoint", () => {
	test("is made with its signing secret, and replaced without", async () => {
		const ref = `/v1/endpoints/${name}@3`;
		const made = await ask("PUT", ref, {
			url: URL,
			auth: { type: "bearer", token: "top-secret" },
			headers: { "x-api-key": "hidden-value", "x-plain": "p" },
			max_concurrency: 9,
			retry: { cold_start_seconds: 9 },
		});
		expect(made).toMatchObject({
			status: 201,
			body: { name, version: "3", signing_secret: expect.stringMatching(/^whsec_/) },
		});
		const before = await findEndpoint(env, `${name}@3`);
		const replaced = await ask("PUT", ref, {
			url: `${URL}v2`,
			auth: { type: "bearer" },
			headers: { "X-Api-Key": "***" },
		});
		expect(replaced).toMatchObject({
			status: 200,
			body: { id: made.body.id, max_concurrency: 5, retry: { cold_start_seconds: 0 }, url: `${URL}v2` },
		});
		expect(replaced.body).not.toHaveProperty("signing_secret");
		expect(await findEndpoint(env, `${name}@3`)).toMatchObject({
			auth: { type: "bearer", token: "top-secret" },
			headers: { "X-Api-Key": "hidden-value" },
			signingSecrets: before?.signingSecrets,
			revision: 2,
		});
		expect((await ask("PUT", ref, { url: URL })).body).toMatchObject({ auth: { type: "none" }, headers: {} });
	});

	test("that changes nothing writes nothing", async () => {
		const body = {
			url: URL,
			protocol: "replicate",
			model: "a/b",
			auth: { type: "bearer", token: "t" },
			completion: { deadline_seconds: 60, webhook_secret: SECRET },
			signing_secret: SECRET,
		};
		const { body: made } = await ask("PUT", `/v1/endpoints/${name}@1`, body);
		const again = await ask("PUT", `/v1/endpoints/${name}@1`, body);
		expect(again.status).toBe(200);
		expect(again.headers.get("etag")).toMatch(/^"1-/);
		expect(await auditCount(made.id)).toBe(1);
	});

	test("that was paused by the router is resumed only if the body says so", async () => {
		const { id } = await must("PUT", `/v1/endpoints/${name}@1`, { url: URL });
		await env.DB.prepare("UPDATE endpoints SET status = 'disabled', status_reason = 'gone' WHERE id = ?")
			.bind(id)
			.run();
		const put = (status?: string) =>
			ask("PUT", `/v1/endpoints/${name}@1`, { url: URL, ...(status && { status }) });
		expect((await put()).body).toMatchObject({ status: "disabled", status_reason: "gone" });
		expect((await put("paused")).body).toMatchObject({ status: "disabled", status_reason: "gone" });
		expect((await put("active")).body).toMatchObject({ status: "active", status_reason: null });
	});

	test.each([
		["a path without a version", () => name, { url: URL }, ["version"]],
		["the latest version in its path", () => `${name}@latest`, { url: URL }, ["version"]],
		["another version than the path", () => `${name}@1`, { url: URL, version: "2" }, ["version"]],
		["no URL", () => `${name}@1`, {}, ["url"]],
		[
			"a hidden value that nobody has",
			() => `${name}@1`,
			{ url: URL, headers: { "x-key": "***" } },
			["headers.x-key"],
		],
		["no token", () => `${name}@1`, { url: URL, auth: { type: "bearer" } }, ["auth.token"]],
	])("with %s is refused", async (_, ref, body, paths) => {
		const answer = await ask("PUT", `/v1/endpoints/${ref()}`, body);
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual(paths);
	});
});

describe("a subscription", () => {
	test("is made and replaced", async () => {
		await must("PUT", `/v1/endpoints/${name}@1`, { url: URL });
		const made = await ask("PUT", `/v1/subscriptions/${name}`, {
			endpoint: `${name}@1`,
			types: ["a"],
			result: { max_hops: 3 },
		});
		expect(made).toMatchObject({ status: 201, body: { name, types: ["a"], result: { max_hops: 3 } } });
		const body = { endpoint: `${name}@latest`, result: {} };
		const replaced = await ask("PUT", `/v1/subscriptions/${name}`, body);
		expect(replaced).toMatchObject({
			status: 200,
			body: {
				id: made.body.id,
				types: [],
				result: { max_hops: 8 },
				targets: [{ endpoint: `${name}@latest` }],
			},
		});
		const again = await ask("PUT", `/v1/subscriptions/${name}`, body);
		expect(again.headers.get("etag")).toMatch(/^"2-/);
		expect(await auditCount(made.body.id)).toBe(2);
		expect(badPaths(await ask("PUT", `/v1/subscriptions/${name}`, {}))).toEqual(["targets"]);
	});
});

test("a subscriber puts what its key names, and nothing else", async () => {
	await must("POST", "/v1/sources", { name: `${name}-source` });
	await must("POST", "/v1/endpoints", { name: `other-${name}`, url: URL });
	const key = await makeKey({ role: "subscriber", endpoints: [`${name}*`], subscriptions: [`${name}*`] });
	const put = (path: string, body: unknown) => askWith(key, "PUT", path, body);
	expect((await put(`/v1/endpoints/${name}@1`, { url: URL })).status).toBe(201);
	expect((await put(`/v1/endpoints/${name}@1`, { url: `${URL}v2` })).status).toBe(200);
	expect((await put(`/v1/endpoints/new-${name}@1`, { url: URL })).status).toBe(403);
	expect((await put(`/v1/endpoints/other-${name}@1`, { url: URL })).status).toBe(403);
	const body = { endpoint: `${name}@1`, source: `${name}-source` };
	expect((await put(`/v1/subscriptions/new-${name}`, body)).status).toBe(403);
	expect(await put(`/v1/subscriptions/${name}`, body)).toMatchObject({
		status: 201,
		body: { status: "requested" },
	});
	// Nobody grants a request to themselves.
	for (const status of ["active", "paused", undefined]) {
		const again = await put(`/v1/subscriptions/${name}`, { ...body, status });
		expect(again).toMatchObject({ status: 200, body: { status: "requested" } });
	}
	expect((await put(`/v1/subscriptions/${name}`, { ...body, endpoint: `other-${name}@1` })).status).toBe(403);
	expect((await put(`/v1/sources/${name}`, {})).status).toBe(403);
});

describe("If-Match and If-None-Match", () => {
	test("a change is made from the state that is named, or not at all", async () => {
		const path = `/v1/sources/${name}`;
		const made = await ask("POST", "/v1/sources", { name });
		expect(made.headers.get("etag")).toMatch(/^"1-/);
		for (const [method, at, body] of [
			["PATCH", path, { description: "x" }],
			["PUT", path, {}],
			["DELETE", path, undefined],
			["POST", `${path}/pause`, undefined],
			["POST", `${path}/secret/rotate`, undefined],
		] as const) {
			expect(await send(method, at, '"2"', body)).toMatchObject({
				status: 412,
				body: { code: "precondition_failed" },
			});
		}
		const patched = await send("PATCH", path, `${tagOf(made)}, "9"`, { description: "x" });
		expect([patched.status, tagOf(patched)]).toEqual([200, expect.stringMatching(/^"2-/)]);
		const paused = await send("POST", `${path}/pause`, "*");
		expect([paused.status, tagOf(paused)]).toEqual([200, expect.stringMatching(/^"3-/)]);
		expect(tagOf(await ask("GET", path))).toBe(tagOf(paused));
		expect((await send("DELETE", path, tagOf(paused))).status).toBe(204);
	});

	test.each([
		["/v1/sources", "", { description: "x" }],
		["/v1/endpoints", "@1", { url: URL }],
		["/v1/subscriptions", "", { endpoint: "tagged" }],
	])(
		"the tag of what was deleted is not that of what is made under its name: %s",
		async (list, version, body) => {
			await ask("PUT", "/v1/endpoints/tagged@1", { url: URL });
			const path = `${list}/${name}${version}`;
			const first = await ask("PUT", path, body);
			await must("DELETE", path);
			expect((await ask("PUT", path, body)).status).toBe(201);
			for (const method of ["PUT", "PATCH", "DELETE"]) {
				expect((await send(method, path, tagOf(first), method === "DELETE" ? undefined : body)).status).toBe(
					412,
				);
			}
		},
	);

	test("a PUT makes only, or replaces only", async () => {
		const path = `/v1/endpoints/${name}@1`;
		expect((await ask("PUT", path, { url: URL }, { "if-match": "*" })).status).toBe(412);
		expect((await ask("PUT", path, { url: URL }, { "if-none-match": "*" })).status).toBe(201);
		expect((await ask("PUT", path, { url: URL }, { "if-none-match": "*" })).status).toBe(412);
		expect((await ask("PUT", path, { url: URL }, { "if-match": "*" })).status).toBe(200);
		const weak = `W/${tagOf(await ask("GET", path))}`;
		expect((await ask("DELETE", path, undefined, { "if-match": weak })).status).toBe(412);
		const subscription = await ask("PUT", `/v1/subscriptions/${name}`, { endpoint: `${name}@1` });
		expect(subscription.headers.get("etag")).toMatch(/^"1-/);
		const remove = (tag: string) =>
			ask("DELETE", `/v1/subscriptions/${name}`, undefined, { "if-match": tag });
		expect((await remove('"1"')).status).toBe(412);
		expect((await remove(tagOf(subscription))).status).toBe(204);
	});
});

function quarantine(field: string): string {
	return JSON.stringify({ field, reason: "too much work", at: 1 });
}

function put(path: string, body: unknown) {
	return ask("PUT", path, body);
}

test("an expression that is set aside stays so until it is another one", async () => {
	await put(`/v1/sources/${name}`, { dedupe_key: "body.id" });
	await env.DB.prepare("UPDATE sources SET quarantine = ? WHERE name = ?")
		.bind(quarantine("dedupe_key"), name)
		.run();
	const again = await put(`/v1/sources/${name}`, { dedupe_key: "body.id", description: "x" });
	expect(again.body["status"]).toBe("quarantined");
	expect((await put(`/v1/sources/${name}`, { dedupe_key: "body.key" })).body["status"]).toBe("active");

	await put(`/v1/endpoints/${name}@1`, { url: URL });
	const subscription = { endpoint: `${name}@1`, transform: "data", types: [] as string[] };
	await put(`/v1/subscriptions/${name}`, subscription);
	await env.DB.prepare("UPDATE subscriptions SET quarantine = ? WHERE name = ?")
		.bind(quarantine("transform"), name)
		.run();
	const still = await put(`/v1/subscriptions/${name}`, { ...subscription, types: ["a"] });
	expect(still.body["status"]).toBe("quarantined");
	const other = await put(`/v1/subscriptions/${name}`, { ...subscription, transform: "data.a" });
	expect(other.body["status"]).toBe("active");
});
