/** Every refusal says what is wrong, in a form that a program can read, and leaves nothing behind. */
import { beforeAll, describe, expect, test } from "vitest";
import { unique } from "./support/api.ts";
import type { Answer, Source } from "./support/api.ts";
import { setting } from "./support/setting.ts";

const stage = setting();

function expectProblem(answer: Answer<unknown>, status: number, code?: string): void {
	expect(answer.body).toMatchObject({ status, code: code ?? expect.any(String), detail: expect.any(String) });
	expect(answer.status).toBe(status);
	expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
}

describe("ingest", () => {
	const type = unique("row");
	let rows: Source;
	let events: Source;

	beforeAll(async () => {
		rows = await stage.api.createSource({ auth: { type: "bearer" }, event_type: type });
		events = await stage.api.createSource({ kind: "cloudevents", auth: { type: "bearer" } });
	});

	const JSON_TYPE = { "content-type": "application/json" };

	test("an unknown source is 404", async () => {
		const answer = await stage.api.ingest(`${stage.api.origin}/in/nobody`, "{}", JSON_TYPE);
		expectProblem(answer, 404, "source_not_found");
	});

	test("two hundred unknown sources at once are 404", async () => {
		const names = Array.from({ length: 200 }, () => unique("nobody"));
		const answers = await Promise.all(
			names.map((name) => stage.api.ingest(`${stage.api.origin}/in/${name}`, "{}", JSON_TYPE)),
		);
		for (const answer of answers) expectProblem(answer, 404, "source_not_found");
	});

	test.each([
		["none", {}],
		["a wrong one", { authorization: "Bearer wrong" }],
		["the root key", { authorization: "Bearer e2e-root-key" }],
		["the right one under another scheme", { authorization: "Basic wrong" }],
	])("credentials: %s is 401 and stores nothing", async (_, headers) => {
		const { api } = stage;
		const answer = await api.ingest(rows.ingest_url, '{"secret":1}', { ...JSON_TYPE, ...headers });
		expectProblem(answer, 401);
		expect(answer.headers.has("www-authenticate")).toBe(true);
		expect(await api.must("GET", `/v1/events?source=${rows.name}`)).toMatchObject({ data: [] });
	});

	test.each([
		["malformed JSON", '{"open":'],
		["an empty body", ""],
		["bytes that are no UTF-8", Buffer.from([0x22, 0xff, 0x22])],
	])("a row: %s is refused", async (_, body) => {
		const answer = await stage.api.ingest(rows.ingest_url, body, {
			...JSON_TYPE,
			authorization: `Bearer ${rows.secret}`,
		});
		expectProblem(answer, 400);
	});

	test("an Idempotency-Key in Latin-1 is refused: another could read the same", async () => {
		const authorization = `Bearer ${rows.secret}`;
		for (const key of ["caf\xe9", "caf\xe8"]) {
			const headers = { ...JSON_TYPE, authorization, "idempotency-key": key };
			const answer = await stage.api.ingest(rows.ingest_url, "{}", headers);
			expectProblem(answer, 400, "invalid_header");
		}
	});

	test.each([
		["JSON without a word of CloudEvents", "application/json"],
		["CloudEvents in a format we do not read", "application/cloudevents+xml"],
		["a form", "application/x-www-form-urlencoded"],
	])("a CloudEvent: %s is the wrong content type", async (_, contentType) => {
		const answer = await stage.api.ingest(events.ingest_url, "{}", {
			"content-type": contentType,
			authorization: `Bearer ${events.secret}`,
		});
		expectProblem(answer, 415);
	});

	const valid = { specversion: "1.0", id: "1", source: "/s", type: "t", data: 1 };
	test.each([
		["no id", { ...valid, id: undefined }, "id"],
		["an empty type", { ...valid, type: "" }, "type"],
		["another version", { ...valid, specversion: "0.3" }, "specversion"],
		["a time that is none", { ...valid, time: "yesterday" }, "time"],
		["an extension name with a capital", { ...valid, tenantId: "a" }, "tenantId"],
		["data twice", { ...valid, data_base64: "AA==" }, "data"],
	])("a CloudEvent with %s is refused, and the attribute is named", async (_, event, attribute) => {
		const answer = await stage.api.ingest(events.ingest_url, JSON.stringify(event), {
			"content-type": "application/cloudevents+json",
			authorization: `Bearer ${events.secret}`,
		});
		expectProblem(answer, 400);
		expect(JSON.stringify(answer.body)).toContain(attribute);
	});

	test("a batch with one bad event is refused whole, and the event is named by its place", async () => {
		const { api } = stage;
		const good = { ...valid, id: unique("good"), type: unique("good") };
		const batch = JSON.stringify([good, { ...valid, id: "" }]);
		const answer = await api.ingest(events.ingest_url, batch, {
			"content-type": "application/cloudevents-batch+json",
			authorization: `Bearer ${events.secret}`,
		});
		expectProblem(answer, 400);
		expect(JSON.stringify(answer.body)).toMatch(/\b1\b/);
		expect(await api.eventsOfType(good.type)).toEqual([]);
	});

	test("the wrong method is 405 and says what is allowed", async () => {
		const answer = await stage.api.ask("PUT", `/in/${rows.name}`, "{}");
		expectProblem(answer, 405);
		expect(answer.headers.get("allow")).toContain("POST");
	});
});

describe("the API", () => {
	const URL = "http://127.0.0.1:9/";
	test.each([
		["an unknown field", "/v1/endpoints", { name: "a", url: URL, timeout: 3 }, "timeout"],
		["a wrong type", "/v1/endpoints", { name: "a", url: URL, timeout_seconds: "3" }, "timeout_seconds"],
		[
			"a field too many inside",
			"/v1/endpoints",
			{ name: "a", url: URL, retry: { steps: [] } },
			"retry.steps",
		],
		["a missing field", "/v1/endpoints", { name: "a" }, "url"],
		["a URL that is none", "/v1/endpoints", { name: "a", url: "models" }, "url"],
		["a scheme of its own", "/v1/endpoints", { name: "a", url: "ftp://example.com/" }, "url"],
		["a header of ours", "/v1/endpoints", { name: "a", url: URL, headers: { "webhook-id": "x" } }, "headers"],
		["an unknown kind", "/v1/sources", { name: "a", kind: "carrier-pigeon" }, "kind"],
		["a reserved name", "/v1/sources", { name: "api", kind: "generic", auth: { type: "none" } }, "name"],
		["an unknown auth", "/v1/sources", { name: "a", kind: "generic", auth: { type: "trust" } }, "auth"],
		["an unknown endpoint", "/v1/subscriptions", { name: "a", endpoint: "nobody@1" }, "endpoint"],
		[
			"an unknown source",
			"/v1/subscriptions",
			{ name: "a", endpoint: "nobody@1", source: "nobody" },
			"source",
		],
		["an unknown dialect", "/v1/subscriptions", { endpoint: "x", filters: [{ regex: "a" }] }, "filters.0"],
		["a bad expression", "/v1/subscriptions", { endpoint: "x", transform: "data.(" }, "transform"],
	])("%s is 422 and the field is named", async (_, path, body, field) => {
		const answer = await stage.api.ask<{ errors: { path: string }[] }>("POST", path, body);
		expectProblem(answer, 422);
		expect(answer.body.errors.map(({ path }) => path)).toContainEqual(expect.stringContaining(field));
	});

	test("a bad expression is refused with its position", async () => {
		const answer = await stage.api.ask("POST", "/v1/subscriptions", { endpoint: "x", transform: "data.(" });
		expect(JSON.stringify(answer.body)).toMatch(/position|character|column/i);
	});

	test.each([
		["malformed JSON", "POST", "/v1/sources", '{"name":', 400],
		["no such path", "GET", "/v1/nothing", undefined, 404],
		["no such source", "GET", "/v1/sources/nobody", undefined, 404],
		["no such endpoint", "GET", "/v1/endpoints/nobody@1", undefined, 404],
		["no such subscription", "GET", "/v1/subscriptions/nobody", undefined, 404],
		["no such event", "GET", "/v1/events/evt_0", undefined, 404],
		["no such delivery", "GET", "/v1/deliveries/dlv_0", undefined, 404],
		["a bad cursor", "GET", "/v1/sources?cursor=%00", undefined, 400],
		["a limit out of range", "GET", "/v1/sources?limit=201", undefined, 400],
	])("%s: %s %s", async (_, method, path, body, status) => {
		expectProblem(await stage.api.ask(method, path, body), status);
	});

	test("a body that is no JSON is 415", async () => {
		const form = { "content-type": "application/x-www-form-urlencoded" };
		expectProblem(await stage.api.ask("POST", "/v1/sources", "name=a", form), 415);
	});

	test("a name that is taken is 409", async () => {
		const name = unique("twice");
		await stage.api.createEndpoint({ name, url: URL });
		expectProblem(await stage.api.ask("POST", "/v1/endpoints", { name, url: URL }), 409);
	});

	test.each([undefined, "Bearer wrong", "Bearer ", "Basic ZTJlLXJvb3Qta2V5"])(
		"the key %j is 401",
		async (authorization) => {
			const response = await fetch(`${stage.api.origin}/v1/sources`, {
				headers: authorization === undefined ? {} : { authorization },
			});
			expect(response.status).toBe(401);
			expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
			expect(await response.json()).toMatchObject({ code: "unauthorized" });
		},
	);
});
