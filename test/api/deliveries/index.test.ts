import { beforeAll, describe, expect, test } from "vitest";
import { deliveryJson } from "../../../src/api/deliveries/wire.ts";
import type { DeliveryRecord } from "../../../src/delivery/records.ts";
import { ask, badPaths, must, readIds } from "../client.ts";
import { aPausedTarget, route, type Target } from "../targets.ts";

async function listIds(query: string): Promise<string[]> {
	return (await readIds(`/v1/deliveries?${query}`)).ids;
}

let one: Target;
let two: Target;
let first: { event: string; deliveries: string[] };
let second: { event: string; deliveries: string[] };

beforeAll(async () => {
	[one, two] = [await aPausedTarget(), await aPausedTarget()];
	first = await route([one, two]);
	second = await route([one]);
});

describe("reading deliveries", () => {
	test("one, as it stands", async () => {
		const [id] = first.deliveries;
		expect(await must("GET", `/v1/deliveries/${id}`)).toEqual({
			id,
			event_id: first.event,
			subscription_id: one.subscription.id,
			subscription: one.subscription.name,
			endpoint_id: one.endpoint.id,
			endpoint: `${one.endpoint.name}@1`,
			status: "pending",
			reason: null,
			detail: null,
			attempt_count: 0,
			blocked_by: "paused",
			blocked_until: null,
			next_attempt_at: null,
			deadline_at: null,
			created_at: expect.stringMatching(/Z$/),
			finished_at: null,
			attempts: [],
			result_event_id: null,
			result_omitted: null,
			result: null,
			result_type: null,
		});
	});

	test("of one endpoint, by id and by name, newest first", async () => {
		const newestFirst = [second.deliveries[0], first.deliveries[0]];
		expect(await listIds(`endpoint=${one.endpoint.id}`)).toEqual(newestFirst);
		expect(await listIds(`endpoint=${one.endpoint.name}@1`)).toEqual(newestFirst);
	});

	test("of one subscription, by id and by name", async () => {
		expect(await listIds(`subscription=${two.subscription.id}`)).toEqual([first.deliveries[1]]);
		expect(await listIds(`subscription=${two.subscription.name}`)).toEqual([first.deliveries[1]]);
	});

	test("of one event, narrowed further", async () => {
		expect(new Set(await listIds(`event=${first.event}`))).toEqual(new Set(first.deliveries));
		expect(await listIds(`event=${first.event}&endpoint=${two.endpoint.id}`)).toEqual([first.deliveries[1]]);
		expect(await listIds(`event=${first.event}&status=dead`)).toEqual([]);
		expect(await listIds(`event=${first.event}&until=2020-01-01T00:00:00Z`)).toEqual([]);
		expect(await listIds(`event=evt_${"0".repeat(22)}api`)).toEqual([]);
		expect(await listIds(`event=${second.event}&correlation_id=${second.event}`)).toEqual(second.deliveries);
		expect(await listIds(`event=${second.event}&correlation_id=${first.event}`)).toEqual([]);
		expect(await listIds(`event=${second.event}&subject=none`)).toEqual([]);
		expect(await listIds(`event=${second.event}&status_code=503`)).toEqual([]);
	});

	test("of one publisher's event, wherever they are", async () => {
		expect(new Set(await listIds(`correlation_id=${first.event}`))).toEqual(new Set(first.deliveries));
		expect(await listIds(`correlation_id=${first.event}&status_code=503`)).toEqual([]);
	});

	test.each(["waiting", "publishing"])("?status=%s is a status, and finds nothing here", async (status) => {
		expect(await listIds(`status=${status}`)).toEqual([]);
	});

	test.each(["budget", "backlog_full", "superseded", "unreadable"])(
		"?reason=%s is a reason",
		async (reason) => {
			expect(await listIds(`reason=${reason}`)).toEqual([]);
		},
	);

	test("of all endpoints, page by page", async () => {
		const { ids: seen, more } = await readIds("/v1/deliveries?limit=1", 3);
		expect(more).toBe(false);
		expect(seen[0]).toBe(second.deliveries[0]);
		expect(new Set(seen)).toEqual(new Set([...first.deliveries, ...second.deliveries]));
	});

	test.each([
		["status=done", "status"],
		["reason=because", "reason"],
		["reason=quota", "reason"],
		["event=nothing", "event"],
		["endpoint=nobody", "endpoint"],
		["subscription=nobody", "subscription"],
		["since=now", "since"],
		["status_code=99", "status_code"],
		["limit=201", "limit"],
		["cursor=x", "cursor"],
	])("?%s is refused by name", async (query, path) => {
		const answer = await ask("GET", `/v1/deliveries?${query}`);
		expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
		expect(badPaths(answer)).toEqual([path]);
	});

	test.each([
		["GET", "dlv_0"],
		["GET", "nothing"],
		["POST", "nothing/retry"],
		["POST", "nothing/cancel"],
	])("%s %s is 404", async (method, path) => {
		expect(await ask(method, `/v1/deliveries/${path}`)).toMatchObject({
			status: 404,
			body: { code: "delivery_not_found" },
		});
	});

	test("one that its dispatcher does not know is 404", async () => {
		const unknown = String(first.deliveries[0]).replace(/^dlv_...../, "dlv_00000");
		for (const [method, path] of [
			["GET", ""],
			["POST", "/retry"],
			["POST", "/cancel"],
		] as const) {
			expect((await ask(method, `/v1/deliveries/${unknown}${path}`)).status).toBe(404);
		}
	});
});

describe("changing a delivery", () => {
	test("cancel ends it, once; retry brings it back", async () => {
		const target = await aPausedTarget();
		const [id] = (await route([target])).deliveries;
		const path = `/v1/deliveries/${id}`;
		expect(await ask("POST", `${path}/cancel`)).toMatchObject({
			status: 200,
			body: { id, status: "canceled", next_attempt_at: null, finished_at: expect.any(String) },
		});
		expect(await listIds(`endpoint=${target.endpoint.id}&status=canceled`)).toEqual([id]);
		expect(await ask("POST", `${path}/cancel`)).toMatchObject({
			status: 409,
			body: { code: "already_finished" },
		});
		expect(await ask("POST", `${path}/retry`)).toMatchObject({
			status: 202,
			body: { id, status: "pending" },
		});
		expect(await must("GET", path)).toMatchObject({ status: "pending", finished_at: null });
	});
});

describe("the result", () => {
	const delivery: DeliveryRecord = {
		position: 1,
		id: "dlv_1",
		eventId: "evt_1",
		subscriptionId: "sub_1",
		subscriptionName: "s",
		endpointId: "ep_1",
		endpointRef: "ocr@3",
		status: "succeeded",
		reason: null,
		detail: null,
		attempts: [
			{ number: 1, at: 0, durationMs: 812, statusCode: 503, outcome: "busy", error: null, excerpt: "full" },
		],
		deadlineAt: null,
		nextAttemptAt: null,
		blockedBy: null,
		blockedUntil: null,
		createdAt: 0,
		finishedAt: 1_000,
		result: null,
		resultOmitted: null,
		resultEventId: null,
	};

	test("in JSON keeps the model's text", () => {
		const text = '{"b":1, "a":9007199254740993}';
		const json = deliveryJson({
			...delivery,
			result: { data: { kind: "json", text }, contentType: "application/json" },
		});
		expect(json).toContain(`"result":${text}`);
		expect(JSON.parse(json)).toMatchObject({
			status: "succeeded",
			finished_at: "1970-01-01T00:00:01.000Z",
			result_type: "application/json",
			attempt_count: 1,
			attempts: [
				{
					number: 1,
					at: "1970-01-01T00:00:00.000Z",
					duration_ms: 812,
					status_code: 503,
					outcome: "busy",
					error: null,
					response_excerpt: "full",
					usage: null,
					model_version: null,
					request_id: null,
				},
			],
		});
	});

	test("comes with what the server said of its work", () => {
		const [attempt] = delivery.attempts;
		if (attempt === undefined) throw new Error("no attempt");
		const usage = { inputTokens: 12, outputTokens: 3, seconds: null };
		const attempts = [{ ...attempt, usage, modelVersion: "2", requestId: "req_1" }];
		expect(JSON.parse(deliveryJson({ ...delivery, attempts }))).toMatchObject({
			attempts: [
				{
					usage: { input_tokens: 12, output_tokens: 3, seconds: null },
					model_version: "2",
					request_id: "req_1",
				},
			],
		});
	});

	test.each([
		[{ kind: "text", text: 'say "hi"\n' } as const, 'say "hi"\n'],
		[{ kind: "binary", base64: "AAH/" } as const, "AAH/"],
	])("%j is a string", (data, shown) => {
		const json = deliveryJson({ ...delivery, result: { data, contentType: "x/y" } });
		expect(JSON.parse(json)).toMatchObject({ result: shown, result_type: "x/y" });
	});
});
