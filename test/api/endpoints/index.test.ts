import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { app } from "../../../src/app.ts";
import { findEndpoint, updateEndpoint } from "../../../src/store/resources/endpoints.ts";
import { ORIGIN, ask, badPaths, must, readIds } from "../client.ts";

const url = "https://models.example.com/predict";
const WHSEC = `whsec_${btoa("s".repeat(32))}`;
let count = 0;
const unique = () => `model-${++count}`;

describe("creating an endpoint", () => {
	test("a name and a URL are enough", async () => {
		const name = unique();
		const { status, body } = await ask("POST", "/v1/endpoints", { name, url });
		expect(status).toBe(201);
		expect(body).toEqual({
			id: expect.stringMatching(/^ep_[0-9a-z]{10}$/),
			name,
			version: "1",
			url,
			protocol: "http",
			model: null,
			auth: { type: "none" },
			headers: {},
			timeout_seconds: 30,
			max_concurrency: 5,
			retry: {
				schedule_seconds: [5, 300, 1800, 7200, 18000, 36000, 36000],
				busy_max_wait_seconds: 3600,
				cold_start_seconds: 0,
				statuses: [],
			},
			busy: { statuses: [] },
			completion: { mode: "sync", deadline_seconds: 3600, hold_slot: false, webhook_secret: null },
			status: "active",
			status_reason: null,
			unreadable: null,
			signing_secret: expect.stringMatching(/^whsec_/),
			created_at: expect.stringMatching(/Z$/),
			updated_at: expect.stringMatching(/Z$/),
		});
	});

	test("every field is kept", async () => {
		const fields = {
			name: unique(),
			version: "2026-11",
			url,
			protocol: "cloudevents",
			headers: { "x-scale-up-timeout": "600" },
			timeout_seconds: 840,
			max_concurrency: 600,
			retry: {
				schedule_seconds: [1, 43_200],
				busy_max_wait_seconds: 0,
				cold_start_seconds: 3600,
				statuses: [501],
			},
			busy: { statuses: [409] },
		};
		await must("POST", "/v1/endpoints", { ...fields, signing_secret: WHSEC });
		expect(await must("GET", `/v1/endpoints/${fields.name}@2026-11`)).toMatchObject(fields);
	});

	test.each([
		["no URL", {}, "url"],
		["a URL that is none", { url: "models" }, "url"],
		["another scheme", { url: "ftp://example.com/" }, "url"],
		["the router itself", { url: `${ORIGIN}/v1/events` }, "url"],
		["the metadata service", { url: "http://169.254.169.254/" }, "url"],
		["a name with an @", { url, name: "a@b" }, "name"],
		["a name that looks like an id", { url, name: "ep_1" }, "name"],
		["the version latest", { url, version: "latest" }, "version"],
		["a version with an @", { url, version: "1@2" }, "version"],
		["an unknown protocol", { url, protocol: "smtp" }, "protocol"],
		["a protocol without the model it needs", { url, protocol: "open-inference" }, "model"],
		["a model that climbs a path", { url, model: "../admin" }, "model"],
		["a model with a step within", { url, model: "a/./b" }, "model"],
		["a model with an empty part", { url, model: "a//b" }, "model"],
		["a model with a query", { url, model: "a?b" }, "model"],
		["a model with spaces", { url, model: "a b" }, "model"],
		["an empty model", { url, model: "" }, "model"],
		[
			"a scheme of two words",
			{ url, auth: { type: "bearer", token: "t", scheme: "Basic x" } },
			"auth.scheme",
		],
		["auth in no headers", { url, auth: { type: "headers", headers: {} } }, "auth.headers"],
		["an empty secret", { url, auth: { type: "headers", headers: { "Modal-Key": "" } } }, "auth.headers"],
		[
			"auth in several headers, one of them ours",
			{ url, auth: { type: "headers", headers: { "webhook-id": "x", "modal-key": "k" } } },
			"auth.headers.webhook-id",
		],
		["bearer without a token", { url, auth: { type: "bearer" } }, "auth.token"],
		["a token with a line break", { url, auth: { type: "bearer", token: "a\nb" } }, "auth.token"],
		[
			"auth in one of our headers",
			{ url, auth: { type: "header", name: "webhook-id", value: "x" } },
			"auth.name",
		],
		[
			"auth with a line break in its header",
			{ url, auth: { type: "header", name: "x-api-key", value: "a\nb" } },
			"auth.value",
		],
		["a header of ours", { url, headers: { "Webhook-Id": "x" } }, "headers.Webhook-Id"],
		["a header of HTTP", { url, headers: { host: "x" } }, "headers.host"],
		["a coding of the body", { url, headers: { "Content-Encoding": "gzip" } }, "headers.Content-Encoding"],
		["one header in two spellings", { url, headers: { "x-a": "1", "X-A": "1" } }, "headers.X-A"],
		["a URL with a line feed", { url: `${url}\n` }, "url"],
		["a URL with a tab inside", { url: `${url}in\tfer` }, "url"],
		["too many headers", { url, headers: { "x-a": "x".repeat(4096) } }, "headers"],
		["no time at all", { url, timeout_seconds: 0 }, "timeout_seconds"],
		["too much time", { url, timeout_seconds: 901 }, "timeout_seconds"],
		["half a request", { url, max_concurrency: 1.5 }, "max_concurrency"],
		["no steps", { url, retry: { schedule_seconds: [] } }, "retry.schedule_seconds"],
		["a step of a day", { url, retry: { schedule_seconds: [86_400] } }, "retry.schedule_seconds.0"],
		["a success as failure", { url, retry: { statuses: [200] } }, "retry.statuses.0"],
		[
			"one status, two meanings",
			{ url, retry: { statuses: [409] }, busy: { statuses: [409] } },
			"busy.statuses",
		],
		["a token with white space", { url, auth: { type: "bearer", token: "token " } }, "auth.token"],
		[
			"a password with white space",
			{ url, auth: { type: "basic", username: "u", password: "word\n" } },
			"auth.password",
		],
		[
			"a header of auth with white space",
			{ url, auth: { type: "header", name: "x-api-key", value: "key " } },
			"auth.value",
		],
		["a header with white space", { url, headers: { "x-api-key": " key" } }, "headers.x-api-key"],
		["a signing secret with white space", { url, signing_secret: `${WHSEC}\n` }, "signing_secret"],
		["a status that cannot be asked for", { url, status: "disabled" }, "status"],
		["a weak signing secret", { url, signing_secret: "whsec_AAAA" }, "signing_secret"],
		["a field inside that is unknown", { url, retry: { steps: [] } }, "retry.steps"],
		["a field that is not there yet", { url, rate_limit: {} }, "rate_limit"],
	])("%s is 422 and the field is named", async (_, fields, path) => {
		const answer = await ask("POST", "/v1/endpoints", { name: unique(), ...fields });
		expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
		expect(badPaths(answer)).toEqual([path]);
	});

	test("http and private hosts are refused unless the operator opens them", async () => {
		const { ALLOW_PRIVATE_ENDPOINTS: _, ...production } = env;
		for (const refused of ["http://models.example.com/", "https://127.0.0.1/", "https://localhost/"]) {
			const request = new Request(`${ORIGIN}/v1/endpoints`, {
				method: "POST",
				headers: { authorization: "Bearer test-token" },
				body: new TextEncoder().encode(JSON.stringify({ name: unique(), url: refused })),
			});
			const response = await app.fetch(request, production, createExecutionContext());
			expect(response.status, refused).toBe(422);
			expect(await response.json()).toMatchObject({ errors: [{ path: "url" }] });
		}
		await must("POST", "/v1/endpoints", { name: unique(), url: "http://127.0.0.1:8080/" });
	});

	test("a version of a name is taken once", async () => {
		const name = unique();
		await must("POST", "/v1/endpoints", { name, url });
		expect(await ask("POST", "/v1/endpoints", { name, url })).toMatchObject({
			status: 409,
			body: {
				code: "name_taken",
				detail: `There is already an endpoint ${name}@1. Choose another name or another version.`,
			},
		});
		await must("POST", "/v1/endpoints", { name, url, version: "2" });
	});
});

async function idOf(ref: string): Promise<string> {
	return (await must("GET", `/v1/endpoints/${ref}`)).id;
}

describe("the model", () => {
	const V2 = "https://models.example.com";

	test("is named for the protocols that put it into the request, changed, and taken away again", async () => {
		const name = unique();
		const fields = { name, url: V2, protocol: "open-inference", model: "ocr/versions/3" };
		expect(await must("POST", "/v1/endpoints", fields)).toMatchObject({ model: "ocr/versions/3" });
		expect(await must("PATCH", `/v1/endpoints/${name}`, { model: "meta-llama/Llama-3:free" })).toMatchObject({
			model: "meta-llama/Llama-3:free",
		});
		expect((await findEndpoint(env, name))?.model).toBe("meta-llama/Llama-3:free");
		const { body } = await ask("GET", "/v1/endpoints?limit=200");
		expect(body["data"]).toContainEqual(expect.objectContaining({ name, model: "meta-llama/Llama-3:free" }));
		for (const [changes, status] of [
			[{ model: null }, 422],
			[{ model: null, protocol: "http" }, 200],
			[{ protocol: "kserve-v1" }, 422],
			[{ protocol: "kserve-v1", url: `${V2}/v1/models/iris:predict` }, 200],
			[{ url: V2 }, 422],
			[{ url: V2, model: "iris" }, 200],
		] as const) {
			const changed = await ask("PATCH", `/v1/endpoints/${name}`, changes);
			expect([changes, changed.status]).toEqual([changes, status]);
			if (status === 422) expect(badPaths(changed)).toEqual(["model"]);
		}
		expect(await must("GET", `/v1/endpoints/${name}`)).toMatchObject({
			protocol: "kserve-v1",
			model: "iris",
		});
	});

	test("server of some protocols sets the number of requests, unless the endpoint does", async () => {
		const [first, second] = [unique(), unique()];
		const fields = { url: V2, protocol: "cog" };
		expect(await must("POST", "/v1/endpoints", { ...fields, name: first })).toMatchObject({
			max_concurrency: 1,
		});
		expect(
			await must("POST", "/v1/endpoints", { ...fields, name: second, max_concurrency: 4 }),
		).toMatchObject({
			max_concurrency: 4,
		});
	});
});

describe("reading endpoints", () => {
	test("secrets are never shown", async () => {
		const hidden = ["the-token", "the-password", "the-value", "the-cookie", WHSEC];
		const [first, second, third] = [unique(), unique(), unique()];
		await must("POST", "/v1/endpoints", {
			name: first,
			url,
			auth: { type: "bearer", token: "the-token" },
			headers: { Cookie: "the-cookie", "x-model": "large" },
			signing_secret: WHSEC,
		});
		await must("POST", "/v1/endpoints", {
			name: second,
			url,
			auth: { type: "basic", username: "reader", password: "the-password" },
		});
		await must("POST", "/v1/endpoints", {
			name: third,
			url,
			auth: { type: "header", name: "x-api-key", value: "the-value" },
		});
		const [fourth, fifth] = [unique(), unique()];
		const pair = { "Modal-Key": "the-value", "Modal-Secret": "the-token" };
		await must("POST", "/v1/endpoints", { name: fourth, url, auth: { type: "headers", headers: pair } });
		const key = { type: "bearer", token: "the-token", scheme: "Api-Key" };
		await must("POST", "/v1/endpoints", { name: fifth, url, auth: key });
		expect((await must("GET", `/v1/endpoints/${fourth}`))["auth"]).toEqual({
			type: "headers",
			names: ["Modal-Key", "Modal-Secret"],
		});
		expect((await findEndpoint(env, fourth))?.auth).toEqual({ type: "headers", headers: pair });
		expect((await must("GET", `/v1/endpoints/${fifth}`))["auth"]).toEqual({
			type: "bearer",
			scheme: "Api-Key",
		});
		expect((await findEndpoint(env, fifth))?.auth).toEqual(key);
		expect(await must("GET", `/v1/endpoints/${first}`)).toMatchObject({
			auth: { type: "bearer" },
			headers: { Cookie: "***", "x-model": "large" },
		});
		expect((await must("GET", `/v1/endpoints/${second}`))["auth"]).toEqual({
			type: "basic",
			username: "reader",
		});
		expect((await must("GET", `/v1/endpoints/${third}`))["auth"]).toEqual({
			type: "header",
			name: "x-api-key",
		});
		const answers = [
			await ask("GET", "/v1/endpoints?limit=200"),
			await ask("GET", `/v1/endpoints/${first}`),
			await ask("PATCH", `/v1/endpoints/${first}`, { timeout_seconds: 5 }),
			await ask("POST", `/v1/endpoints/${first}/pause`),
		];
		for (const { text } of answers) for (const secret of hidden) expect(text).not.toContain(secret);
	});

	test("by id, by version, and by name as the latest", async () => {
		const name = unique();
		const first = await must("POST", "/v1/endpoints", { name, url });
		const second = await must("POST", "/v1/endpoints", { name, url, version: "2" });
		expect(await idOf(first.id)).toBe(first.id);
		expect(await idOf(`${name}@1`)).toBe(first.id);
		expect(await idOf(name)).toBe(second.id);
		expect(await idOf(`${name}@latest`)).toBe(second.id);
		expect(await ask("GET", `/v1/endpoints/${name}@3`)).toMatchObject({
			status: 404,
			body: { code: "endpoint_not_found" },
		});
	});

	test("page by page", async () => {
		for (let i = 0; i < 3; i++) await must("POST", "/v1/endpoints", { name: unique(), url });
		const { ids } = await readIds("/v1/endpoints?limit=2", 2);
		expect(new Set(ids).size).toBe(4);
	});
});

describe("changing an endpoint", () => {
	test("changes the named fields only, inside retry too", async () => {
		const name = unique();
		const created = await must("POST", "/v1/endpoints", {
			name,
			url,
			auth: { type: "bearer", token: "kept-token" },
		});
		const changed = await must("PATCH", `/v1/endpoints/${name}`, {
			max_concurrency: 12,
			retry: { cold_start_seconds: 60 },
			busy: { statuses: [409] },
		});
		const { signing_secret: secret, ...shown } = created;
		expect(changed).toEqual({
			...shown,
			max_concurrency: 12,
			retry: { ...(shown["retry"] as object), cold_start_seconds: 60 },
			busy: { statuses: [409] },
			updated_at: expect.any(String),
		});
		expect(await findEndpoint(env, name)).toMatchObject({
			auth: { type: "bearer", token: "kept-token" },
			signingSecrets: [{ value: secret }],
		});
	});

	test("a hidden header that is sent back keeps its value", async () => {
		const name = unique();
		await must("POST", "/v1/endpoints", {
			name,
			url,
			headers: { "x-api-key": "stored", "x-model": "large" },
		});
		await must("PATCH", `/v1/endpoints/${name}`, { headers: { "x-api-key": "***", "x-size": "1" } });
		expect((await findEndpoint(env, name))?.headers).toEqual({ "x-api-key": "stored", "x-size": "1" });
		await must("PATCH", `/v1/endpoints/${name}`, { headers: { "X-Api-Key": "***" } });
		expect((await findEndpoint(env, name))?.headers).toEqual({ "X-Api-Key": "stored" });
		const answer = await ask("PATCH", `/v1/endpoints/${name}`, { headers: { "x-token": "***" } });
		expect(badPaths(answer)).toEqual(["headers.x-token"]);
	});

	test.each([
		[{ name: "other" }, "name"],
		[{ version: "2" }, "version"],
		[{ signing_secret: WHSEC }, "signing_secret"],
		[{ status: "paused" }, "status"],
		[{ url: "models" }, "url"],
		[{ retry: { statuses: [429] }, busy: { statuses: [429] } }, "busy.statuses"],
	])("%j is refused", async (fields, path) => {
		const name = unique();
		await must("POST", "/v1/endpoints", { name, url });
		const answer = await ask("PATCH", `/v1/endpoints/${name}`, fields);
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual([path]);
	});
});

describe("pausing and resuming", () => {
	test("pause says it was by hand, resume clears it", async () => {
		const name = unique();
		await must("POST", "/v1/endpoints", { name, url });
		const path = `/v1/endpoints/${name}`;
		expect(await must("POST", `${path}/pause`)).toMatchObject({ status: "paused", status_reason: "manual" });
		expect(await must("GET", path)).toMatchObject({ status: "paused", status_reason: "manual" });
		expect(await must("POST", `${path}/resume`)).toMatchObject({ status: "active", status_reason: null });
		expect(await must("GET", path)).toMatchObject({ status: "active", status_reason: null });
	});

	test("one can be made paused", async () => {
		const made = await must("POST", "/v1/endpoints", { name: unique(), url, status: "paused" });
		expect(made).toMatchObject({ status: "paused", status_reason: "manual" });
	});

	test("pausing what has stopped already keeps the reason; resuming brings a disabled one back", async () => {
		const created = await must("POST", "/v1/endpoints", { name: unique(), url });
		const path = `/v1/endpoints/${created.id}`;
		const stored = await findEndpoint(env, created.id);
		if (stored !== null) await updateEndpoint(env, stored, { status: "disabled", statusReason: "gone" });
		expect(await must("POST", `${path}/pause`)).toMatchObject({ status: "disabled", status_reason: "gone" });
		expect(await must("POST", `${path}/resume`)).toMatchObject({ status: "active", status_reason: null });
	});
});

describe("rotating the signing secret", () => {
	test("both are live for a while, the new one first and shown once", async () => {
		const name = unique();
		const created = await must("POST", "/v1/endpoints", { name, url });
		const rotated = await must("POST", `/v1/endpoints/${name}/secret/rotate`, { grace_period_seconds: 60 });
		const secrets = (await findEndpoint(env, name))?.signingSecrets ?? [];
		expect(secrets.map(({ value }) => value)).toEqual([rotated["signing_secret"], created["signing_secret"]]);
		expect((secrets[1]?.expiresAt ?? 0) - (secrets[0]?.createdAt ?? 0)).toBe(60_000);
		expect(await must("GET", `/v1/endpoints/${name}`)).not.toHaveProperty("signing_secret");
	});

	test("at most ten live on, and a grace of 0 ends them all", async () => {
		const name = unique();
		await must("POST", "/v1/endpoints", { name, url });
		const path = `/v1/endpoints/${name}/secret/rotate`;
		for (let i = 0; i < 9; i++) await must("POST", path);
		expect((await findEndpoint(env, name))?.signingSecrets).toHaveLength(10);
		expect(await ask("POST", path)).toMatchObject({ status: 409, body: { code: "too_many_secrets" } });
		await must("POST", path, { grace_period_seconds: 0 });
		expect((await findEndpoint(env, name))?.signingSecrets).toHaveLength(1);
	});

	test("a given secret is judged", async () => {
		const name = unique();
		await must("POST", "/v1/endpoints", { name, url });
		const path = `/v1/endpoints/${name}/secret/rotate`;
		expect((await must("POST", path, { secret: WHSEC }))["signing_secret"]).toBe(WHSEC);
		expect(badPaths(await ask("POST", path, { secret: "whsk_AAAA" }))).toEqual(["secret"]);
	});
});

describe("deleting an endpoint", () => {
	test("it is gone", async () => {
		const name = unique();
		await must("POST", "/v1/endpoints", { name, url });
		expect((await ask("DELETE", `/v1/endpoints/${name}@1`)).status).toBe(204);
		expect((await ask("GET", `/v1/endpoints/${name}`)).status).toBe(404);
	});

	test("one that was lost from the database can still be deleted, once, by its id", async () => {
		const { id } = await must("POST", "/v1/endpoints", { name: unique(), url });
		await env.DB.prepare("DELETE FROM endpoints WHERE id = ?").bind(id).run();
		expect((await ask("GET", `/v1/endpoints/${id}`)).status).toBe(404);
		expect((await ask("DELETE", `/v1/endpoints/${id}`)).status).toBe(204);
		expect((await ask("DELETE", `/v1/endpoints/${id}`)).status).toBe(404);
	});

	test("not while a subscription targets it", async () => {
		const name = unique();
		await must("POST", "/v1/endpoints", { name, url });
		await must("POST", "/v1/subscriptions", { name: `to-${name}`, endpoint: `${name}@1` });
		expect(await ask("DELETE", `/v1/endpoints/${name}`)).toMatchObject({
			status: 409,
			body: { code: "endpoint_in_use", detail: expect.stringContaining(`to-${name}`) },
		});
	});
});
