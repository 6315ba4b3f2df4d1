/** Secrets that were encrypted with a key which is not set any more: what can be done about it, and what cannot happen. */
import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import worker from "../../src/worker.ts";
import { findEndpoint } from "../../src/store/resources/endpoints.ts";
import { findSource } from "../../src/store/resources/sources.ts";
import { ORIGIN, type Resource, must } from "./client.ts";

/** The same router after its token has been changed, without an ENCRYPTION_KEY. */
const changed = { ...env, ADMIN_TOKEN: "another-token" };

async function ask(
	method: string,
	path: string,
	body?: object,
	headers: Record<string, string> = { authorization: "Bearer another-token" },
): Promise<{ status: number; headers: Headers; text: string; body: Resource }> {
	const request = new Request<unknown, IncomingRequestCfProperties>(ORIGIN + path, {
		method,
		headers: { ...headers, "content-type": "application/json" },
		...(body !== undefined && { body: JSON.stringify(body) }),
	});
	const response = await worker.fetch(request, changed, createExecutionContext());
	const text = await response.text();
	return {
		status: response.status,
		headers: response.headers,
		text,
		body: (text === "" ? {} : JSON.parse(text)) as Resource,
	};
}

let count = 0;
let name = "";
const BEARER = { type: "bearer", token: "endpoint-token" };

beforeEach(async () => {
	name = `locked-${++count}`;
	await must("POST", "/v1/sources", { name, secret: "publisher-secret" });
	await must("POST", "/v1/endpoints", {
		name,
		url: "https://models.example.com/",
		auth: BEARER,
		headers: { "x-api-key": "header-secret" },
	});
});

describe("a source", () => {
	const refused = { status: "paused", status_reason: "secret_unreadable", unreadable: ["secret"] };

	test("is listed and read, and says what cannot be read", async () => {
		const list = await ask("GET", "/v1/sources?limit=200");
		expect(list.status).toBe(200);
		expect(list.body["data"]).toContainEqual(expect.objectContaining({ name, ...refused }));
		expect((await ask("GET", `/v1/sources/${name}`)).body).toMatchObject(refused);
	});

	test("refuses publishers so that they retry, whatever they send", async () => {
		const authorization = "Bearer publisher-secret";
		const { status, headers, body } = await ask("POST", `/in/${name}`, { a: 1 }, { authorization });
		expect({ status, body }).toMatchObject({ status: 503, body: { code: "secret_unreadable" } });
		expect(headers.get("retry-after")).toBe("60");
		expect(await ask("POST", `/v1/sources/${name}/test`)).toMatchObject({
			status: 503,
			body: { code: "secret_unreadable" },
		});
	});

	test("can be changed, paused and resumed, and keeps the secret that it cannot read", async () => {
		expect((await ask("PATCH", `/v1/sources/${name}`, { description: "d" })).body).toMatchObject({
			description: "d",
			...refused,
		});
		expect((await ask("POST", `/v1/sources/${name}/pause`)).body).toMatchObject({
			status: "paused",
			status_reason: "manual",
			unreadable: ["secret"],
		});
		expect((await ask("POST", `/v1/sources/${name}/resume`)).body).toMatchObject(refused);
		expect((await findSource(env, name))?.secrets).toMatchObject([{ value: "publisher-secret" }]);
	});

	test("is not given another auth that the secret might not fit", async () => {
		const answer = await ask("PATCH", `/v1/sources/${name}`, { auth: { type: "url_token" } });
		expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "auth.type" }] } });
	});

	test.each([
		["PATCH", "", { secret: "another-secret" }],
		["POST", "/secret/rotate", { secret: "another-secret" }],
	])("works again once its secret is replaced: %s %s", async (method, path, body) => {
		expect((await ask(method, `/v1/sources/${name}${path}`, body)).body).toMatchObject({
			status: "active",
			status_reason: null,
			unreadable: null,
		});
		const authorization = "Bearer another-secret";
		expect((await ask("POST", `/in/${name}`, { a: 1 }, { authorization })).status).toBe(202);
	});

	test("can be deleted", async () => {
		expect((await ask("DELETE", `/v1/sources/${name}`)).status).toBe(204);
	});

	test("that needs no secret works on", async () => {
		await must("POST", "/v1/sources", { name: `open-${name}`, auth: { type: "none" } });
		expect((await ask("GET", `/v1/sources/open-${name}`)).body).toMatchObject({
			status: "active",
			unreadable: null,
		});
		expect((await ask("POST", `/in/open-${name}`, { a: 1 }, {})).status).toBe(202);
	});
});

describe("an endpoint", () => {
	const refused = {
		status: "paused",
		status_reason: "secret_unreadable",
		unreadable: ["auth", "headers", "signing_secret"],
		auth: null,
		headers: null,
	};

	test("is listed and read, and says what cannot be read", async () => {
		const list = await ask("GET", "/v1/endpoints?limit=200");
		expect(list.status).toBe(200);
		expect(list.body["data"]).toContainEqual(expect.objectContaining({ name, ...refused }));
		expect((await ask("GET", `/v1/endpoints/${name}`)).body).toMatchObject(refused);
	});

	test("can be changed, paused and resumed, and keeps what it cannot read", async () => {
		await ask("PATCH", `/v1/endpoints/${name}`, { timeout_seconds: 5 });
		expect((await ask("POST", `/v1/endpoints/${name}/pause`)).body).toMatchObject({
			status_reason: "manual",
			timeout_seconds: 5,
		});
		expect((await ask("POST", `/v1/endpoints/${name}/resume`)).body).toMatchObject(refused);
		expect(await findEndpoint(env, name)).toMatchObject({
			status: "active",
			auth: BEARER,
			headers: { "x-api-key": "header-secret" },
			signingSecrets: [{}],
		});
	});

	test("does not take *** for a header that it cannot read", async () => {
		const answer = await ask("PATCH", `/v1/endpoints/${name}`, { headers: { "x-api-key": "***" } });
		expect(answer.status).toBe(422);
		expect(answer.text).toContain("cannot be read");
	});

	test("works again once each of them is replaced", async () => {
		const path = `/v1/endpoints/${name}`;
		expect((await ask("PATCH", path, { auth: { type: "none" } })).body).toMatchObject({
			status: "paused",
			unreadable: ["headers", "signing_secret"],
		});
		expect((await ask("PATCH", path, { headers: {} })).body).toMatchObject({
			unreadable: ["signing_secret"],
		});
		const rotated = await ask("POST", `${path}/secret/rotate`);
		expect(rotated.body).toMatchObject({ status: "active", status_reason: null, unreadable: null });
		expect((await findEndpoint(changed, name))?.signingSecrets).toMatchObject([
			{ value: rotated.body["signing_secret"] },
		]);
	});

	test("can be deleted", async () => {
		expect((await ask("DELETE", `/v1/endpoints/${name}`)).status).toBe(204);
	});
});

describe("a source whose settings another release has stored", () => {
	const refused = { status: "paused", status_reason: "settings_unreadable", unreadable: ["settings"] };

	beforeEach(async () => {
		await must("POST", "/v1/sources", { name: `db-${name}`, kind: "postgres", auth: { type: "none" } });
		await env.DB.prepare("UPDATE sources SET settings = ?, revision = revision + 1 WHERE name = ?")
			.bind('{"primary_key":{"columns":["a","b"]}}', `db-${name}`)
			.run();
	});

	test("is listed, refuses publishers so that they retry, and has no set-up", async () => {
		const list = await must<{ data: object[] }>("GET", "/v1/sources?limit=200");
		expect(list.data).toContainEqual(expect.objectContaining({ name: `db-${name}`, ...refused }));
		const sent = await ask("POST", `/v1/sources/db-${name}/test`);
		expect(sent).toMatchObject({ status: 503, body: { code: "settings_unreadable" } });
		const setup = await ask("GET", `/v1/sources/db-${name}/setup`);
		expect(setup).toMatchObject({ status: 503, body: { code: "settings_unreadable" } });
	});

	test("works again once they are rewritten", async () => {
		const path = `/v1/sources/db-${name}`;
		expect(await must("PATCH", path, { description: "d" })).toMatchObject(refused);
		expect(await must("PATCH", path, { settings: {} })).toMatchObject({ status: "active", unreadable: null });
	});
});
