/** Bulk jobs through the API: over one endpoint and over many, followed to their end. */
import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { bulkJob, eventLog } from "../../../src/objects/clients.ts";
import { createSetting } from "../../delivery/dispatcher.fixtures.ts";
import { askWith, makeKey } from "../access/keys.ts";
import { type Resource, ask, badPaths, must, readIds } from "../client.ts";
import { anEvent, aPausedTarget, route as routeOne, type Target } from "../targets.ts";

/** Hands events to the targets, as the router would; returns their ids. */
async function route(targets: readonly Target[], count: number, subject = "none"): Promise<string[]> {
	const ids: string[] = [];
	for (let number = 0; number < count; number++)
		ids.push((await routeOne(targets, anEvent({ subject }))).event);
	return ids;
}

async function whenOver(id: string): Promise<Resource> {
	return vi.waitFor(async () => {
		await runDurableObjectAlarm(bulkJob(env, id));
		const job = await must("GET", `/v1/bulk/${id}`);
		if (job["status"] === "running") throw new Error("it still runs");
		return job;
	});
}

async function statuses({ endpoint }: Target, status: string): Promise<number> {
	return (await readIds(`/v1/deliveries?endpoint=${endpoint.id}&status=${status}&limit=200`)).ids.length;
}

describe("over one endpoint", () => {
	test("little is done with the response", async () => {
		const target = await aPausedTarget();
		await route([target], 3);
		const filters = { endpoint: `${target.endpoint.name}@1`, since: "2020-01-01T00:00:00.000Z" };
		const answer = await ask("POST", "/v1/deliveries/cancel", filters);
		const counts = { matched: 3, done: 3, skipped: 0, failed: 0 };
		expect(answer.status).toBe(202);
		expect(answer.body).toEqual({
			id: expect.stringMatching(/^bulk_/),
			action: "cancel",
			dry_run: false,
			filters,
			status: "done",
			detail: null,
			...counts,
			endpoint_count: 1,
			endpoints: [
				{
					endpoint_id: target.endpoint.id,
					endpoint: `${target.endpoint.name}@1`,
					status: "done",
					...counts,
				},
			],
			created_at: expect.stringMatching(/Z$/),
			finished_at: expect.stringMatching(/Z$/),
		});
		expect(await must("GET", `/v1/bulk/${answer.body.id}`)).toEqual(answer.body);
		expect(await statuses(target, "canceled")).toBe(3);
		const retried = await must("POST", "/v1/deliveries/retry", { endpoint: target.endpoint.id });
		expect(retried).toMatchObject({ status: "done", matched: 3, done: 3 });
		expect(await statuses(target, "pending")).toBe(3);
	});

	test("a dry run changes nothing", async () => {
		const target = await aPausedTarget();
		await route([target], 2);
		const body = { endpoint: target.endpoint.id, dry_run: true };
		const job = await must("POST", "/v1/deliveries/cancel", body);
		expect(job).toMatchObject({ dry_run: true, status: "done", matched: 2, done: 0 });
		expect(await statuses(target, "pending")).toBe(2);
	});
});

describe("over all endpoints", () => {
	test("deliveries of one event or one subject are found at all endpoints", async () => {
		const targets = [await aPausedTarget(), await aPausedTarget()];
		const [first] = await route(targets, 2, "bulk/subject");
		const job = await must("POST", "/v1/deliveries/cancel", { event: first });
		expect(await whenOver(job.id)).toMatchObject({ status: "done", done: 2, endpoint_count: 2 });
		const rest = await must("POST", "/v1/deliveries/cancel", { subject: "bulk/subject" });
		const over = await whenOver(rest.id);
		expect(over).toMatchObject({ status: "done", done: 2 });
		expect((over["endpoints"] as Resource[]).map((one) => String(one["endpoint_id"])).sort()).toEqual(
			targets.map(({ endpoint }) => endpoint.id).sort(),
		);
	});

	test("more endpoints than are at work at once are asked in turns", async () => {
		const subject = "bulk/many";
		const oldest = await aPausedTarget();
		for (let count = 0; count < 60; count++) await createSetting();
		const newest = await aPausedTarget();
		await route([oldest, newest], 1, subject);
		const job = await must("POST", "/v1/deliveries/cancel", { subject });
		const over = await whenOver(job.id);
		expect(over).toMatchObject({ status: "done", matched: 2, done: 2 });
		expect(over["endpoint_count"]).toBeGreaterThanOrEqual(60);
	});
});

describe("of one event", () => {
	test("that is routed only after the request is found", async () => {
		const target = await aPausedTarget();
		const event = anEvent();
		const wait = vi.spyOn(scheduler, "wait").mockImplementationOnce(async () => {
			await routeOne([target], event);
		});
		const job = await must("POST", "/v1/deliveries/cancel", { event: event.id });
		wait.mockRestore();
		expect(await whenOver(job.id)).toMatchObject({ done: 1, endpoint_count: 1 });
	});

	test("that the log has forgotten is looked for at all endpoints", async () => {
		const [target, other] = [await aPausedTarget(), await aPausedTarget()];
		const [first] = await route([target, other], 2);
		await runInDurableObject(eventLog(env, "src_api"), (_, { storage }) => {
			storage.sql.exec("DELETE FROM segments");
		});
		const job = await must("POST", "/v1/deliveries/cancel", { event: first });
		expect(await whenOver(job.id)).toMatchObject({ status: "done", matched: 2, done: 2 });
		expect(await statuses(target, "pending")).toBe(1);
	});
});

describe("is refused", () => {
	test.each([
		[{}, ""],
		[{ dry_run: true }, ""],
		[{ endpoint: "nobody" }, "endpoint"],
		[{ subscription: "nobody" }, "subscription"],
		[{ event: "nothing" }, "event"],
		[{ status: "succeeded" }, "status"],
		[{ status: "in_flight" }, "status"],
		[{ status_code: 99 }, "status_code"],
		[{ since: "now" }, "since"],
		[{ limit: 1 }, "limit"],
	])("a retry of %j, by name", async (body, path) => {
		const answer = await ask("POST", "/v1/deliveries/retry", body);
		expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
		expect(badPaths(answer)).toEqual([path]);
		if (path === "") expect(answer.text).toContain("endpoint, subscription, event, status");
	});

	test.each([
		[{ status: "dead" }, "status"],
		[{ endpoint: "ep_0", reason: "exhausted" }, "reason"],
	])("a cancellation of %j", async (body, path) => {
		expect(badPaths(await ask("POST", "/v1/deliveries/cancel", body))).toEqual([path]);
	});

	test("a job that was never started is 404", async () => {
		for (const [method, path] of [
			["GET", "bulk_0"],
			["POST", "bulk_0/cancel"],
		] as const) {
			const answer = await ask(method, `/v1/bulk/${path}`);
			expect(answer).toMatchObject({ status: 404, body: { code: "bulk_not_found" } });
		}
	});
});

test("a subscriber reaches what is its own, and the jobs that it has begun", async () => {
	const [own, other] = [await aPausedTarget(), await aPausedTarget()];
	await route([own, other], 2, "bulk/own");
	const names = { endpoints: [own.endpoint.name], subscriptions: [own.subscription.name] };
	const key = await makeKey({ role: "subscriber", ...names });
	const elsewhere = await askWith(key, "POST", "/v1/deliveries/cancel", { endpoint: other.endpoint.id });
	expect(elsewhere).toMatchObject({ status: 403, body: { code: "forbidden" } });
	const { status, body } = await askWith(key, "POST", "/v1/deliveries/cancel", { subject: "bulk/own" });
	expect(status).toBe(202);
	expect(body).toMatchObject({ done: 2, endpoint_count: 1 });
	expect(await statuses(other, "pending")).toBe(2);
	expect(await askWith(key, "GET", `/v1/bulk/${body.id}`)).toMatchObject({ status: 200 });
	const foreign = await must("POST", "/v1/deliveries/cancel", { subject: "bulk/own", dry_run: true });
	expect(await askWith(key, "GET", `/v1/bulk/${foreign.id}`)).toMatchObject({ status: 403 });
	const viewer = await makeKey({ role: "viewer" });
	expect(await askWith(viewer, "GET", `/v1/bulk/${foreign.id}`)).toMatchObject({ status: 200 });
});

test("a subscriber's key reaches all of its endpoints, however many there are", async () => {
	const prefix = "own";
	const { name } = await must("POST", "/v1/endpoints", {
		name: `${prefix}-old`,
		url: "https://m.example.com/",
	});
	const { results } = await env.DB.prepare("SELECT name FROM pragma_table_info('endpoints')").all<{
		name: string;
	}>();
	const values = results.map((column) =>
		column.name === "id"
			? "id || n"
			: column.name === "name"
				? "name || n"
				: column.name === "created_at"
					? "n"
					: column.name,
	);
	await env.DB.prepare(
		`WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000)
		INSERT INTO endpoints (${results.map((column) => column.name).join()})
		SELECT ${values.join()} FROM endpoints, numbers WHERE name = ?`,
	)
		.bind(name)
		.run();
	const target = await aPausedTarget();
	await route([target], 1, `${prefix}/subject`);
	const key = await makeKey({ role: "subscriber", endpoints: [`${prefix}-*`, target.endpoint.name] });
	const listed = await askWith(key, "GET", `/v1/deliveries?subject=${prefix}/subject`);
	expect(listed.body).toMatchObject({ data: [{ endpoint_id: target.endpoint.id }] });
	const { body } = await askWith(key, "POST", "/v1/deliveries/cancel", { subject: `${prefix}/subject` });
	expect(body).toMatchObject({ matched: 1, done: 1 });
	expect(await must("POST", `/v1/bulk/${body.id}/cancel`)).toMatchObject({ status: "canceled" });
	await env.DB.prepare("DELETE FROM endpoints WHERE created_at <= 1000").run();
});
