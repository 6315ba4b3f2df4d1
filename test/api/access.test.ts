import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { app } from "../../src/app.ts";
import { ORIGIN, ask } from "./client.ts";

describe("who may use the API", () => {
	test.each([
		["no key", undefined],
		["another key", "Bearer wrong"],
		["the key and more", "Bearer test-token2"],
		["an empty key", "Bearer "],
		["another scheme", "Basic dGVzdC10b2tlbg=="],
		["the bare key", "test-token"],
	])("%s is 401", async (_, authorization) => {
		const response = await exports.default.fetch(`${ORIGIN}/v1/sources`, {
			headers: authorization === undefined ? {} : { authorization },
		});
		expect(response.status).toBe(401);
		expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
		expect(response.headers.get("content-type")).toBe("application/problem+json");
		expect(await response.json()).toMatchObject({ code: "unauthorized" });
	});

	test.each([
		["in development says where the token is kept", "true", true],
		["elsewhere does not", undefined, false],
	])("a refusal %s", async (_, ALLOW_PRIVATE_ENDPOINTS, isSaid) => {
		const { ALLOW_PRIVATE_ENDPOINTS: _set, ...rest } = env;
		const bindings = { ...rest, ...(ALLOW_PRIVATE_ENDPOINTS !== undefined && { ALLOW_PRIVATE_ENDPOINTS }) };
		const response = await app.fetch(new Request(`${ORIGIN}/v1/sources`), bindings, createExecutionContext());
		expect((await response.text()).includes(".sluice/token")).toBe(isSaid);
	});

	test("the scheme knows no case", async () => {
		expect((await ask("GET", "/v1/sources", undefined, { authorization: "bearer test-token" })).status).toBe(
			200,
		);
	});

	test.each([undefined, "", " \n"])(
		"with ADMIN_TOKEN %j everything is closed and says how to open it",
		async (ADMIN_TOKEN) => {
			const { ADMIN_TOKEN: _, ...rest } = env;
			const closed = ADMIN_TOKEN === undefined ? rest : { ...rest, ADMIN_TOKEN };
			for (const authorization of ["Bearer ", "Bearer undefined", "Bearer test-token"]) {
				const request = new Request(`${ORIGIN}/v1/sources`, { headers: { authorization } });
				const response = await app.fetch(request, closed, createExecutionContext());
				expect(response.status).toBe(503);
				expect(await response.json()).toMatchObject({
					code: "not_configured",
					detail: expect.stringContaining("wrangler secret put ADMIN_TOKEN"),
				});
			}
		},
	);

	test.each(["test-token\n", "  test-token\r\n"])(
		"white space around ADMIN_TOKEN %j is not part of it",
		async (token) => {
			const request = new Request(`${ORIGIN}/v1/sources`, {
				headers: { authorization: "Bearer  test-token " },
			});
			const response = await app.fetch(request, { ...env, ADMIN_TOKEN: token }, createExecutionContext());
			expect(response.status).toBe(200);
		},
	);

	test("an unknown path is only reported as such to those who may know", async () => {
		expect((await exports.default.fetch(`${ORIGIN}/v1/nothing`)).status).toBe(401);
		expect(await ask("GET", "/v1/nothing")).toMatchObject({ status: 404, body: { code: "not_found" } });
	});
});

describe("/healthz", () => {
	test("responds without a key", async () => {
		const response = await exports.default.fetch(`${ORIGIN}/healthz`);
		expect(response.status).toBe(200);
		const numbers = { backlog_count: 0, backlog_bytes: 0, oldest_message_at: null };
		expect(await response.json()).toEqual({ status: "ok", queue: numbers, dead_letter_queue: numbers });
	});

	test("is well even when a queue does not tell its backlog", async () => {
		const mute = { metrics: () => Promise.reject(new Error("no metrics")) } as unknown as Queue<string>;
		const response = await app.fetch(
			new Request(`${ORIGIN}/healthz`),
			{ ...env, EVENTS: mute },
			createExecutionContext(),
		);
		expect(response.status).toBe(200);
		expect(await response.json()).toMatchObject({ status: "ok", queue: { backlog_count: null } });
	});
});

describe("an internal error", () => {
	test("reveals nothing about it", async () => {
		const broken = new Proxy(env.DB, {
			get: () => () => {
				throw new Error("secret detail");
			},
		});
		const request = new Request(`${ORIGIN}/v1/sources`, { headers: { authorization: "Bearer test-token" } });
		const response = await app.fetch(request, { ...env, DB: broken }, createExecutionContext());
		expect(response.status).toBe(500);
		const text = await response.text();
		expect(JSON.parse(text)).toMatchObject({ code: "internal_error" });
		expect(text).not.toContain("secret detail");
	});

	test.each(["retryable", "overloaded"])("a temporary error is 503: an object that is %s", async (trait) => {
		const busy = {
			idFromName: () => {
				throw Object.assign(new Error("secret detail"), { [trait]: true });
			},
		} as unknown as typeof env.EVENT_LOG;
		const request = new Request(`${ORIGIN}/v1/events?source=api`, {
			headers: { authorization: "Bearer test-token" },
		});
		const response = await app.fetch(request, { ...env, EVENT_LOG: busy }, createExecutionContext());
		expect(response.status).toBe(503);
		expect(response.headers.get("retry-after")).toBe("5");
		const text = await response.text();
		expect(JSON.parse(text)).toMatchObject({ code: "unavailable" });
		expect(text).not.toContain("secret detail");
	});
});

describe("bodies", () => {
	test.each([
		[
			"another type",
			"name=a",
			{ "content-type": "application/x-www-form-urlencoded" },
			415,
			"unsupported_media_type",
		],
		["half of it", '{"name": ', {}, 400, "invalid_json"],
		["nothing", "", {}, 400, "invalid_json"],
		["no object", "[]", {}, 422, "invalid_request"],
		["more than 1 MB", JSON.stringify({ name: "x".repeat(1_048_576) }), {}, 413, "body_too_large"],
	])("%s is refused", async (_, body, headers, status, code) => {
		const answer = await ask("POST", "/v1/sources", body, headers);
		expect(answer).toMatchObject({ status, body: { status, code } });
		expect(answer.headers.get("content-type")).toBe("application/problem+json");
	});

	test("a JSON syntax error is reported with its position", async () => {
		const { body } = await ask("POST", "/v1/sources", '{"name": x}');
		expect(body["detail"]).toContain("character 9");
	});

	test("a suffixed type, or none, is JSON too", async () => {
		for (const type of ["application/merge-patch+json", "application/json; charset=utf-8"]) {
			const answer = await ask("POST", "/v1/sources", { name: "" }, { "content-type": type });
			expect(answer.status).toBe(422);
		}
		const headers = { authorization: "Bearer test-token" };
		const body = new TextEncoder().encode('{"name":""}');
		const response = await exports.default.fetch(`${ORIGIN}/v1/sources`, { method: "POST", headers, body });
		expect(response.status).toBe(422);
	});
});

describe("queries", () => {
	test.each([
		["limit=0", "limit"],
		["limit=201", "limit"],
		["limit=ten", "limit"],
		["cursor=x", "cursor"],
		["colour=red", "colour"],
	])("?%s is refused by name", async (query, path) => {
		expect(await ask("GET", `/v1/sources?${query}`)).toMatchObject({
			status: 400,
			body: { code: "invalid_query", errors: [{ path }] },
		});
	});
});
