import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { app } from "../../src/app.ts";
import { STATUS_HEADER } from "../../src/callbacks/receive.ts";
import { dispatcher } from "../../src/objects/clients.ts";
import type { DeliveryStatus } from "../../src/delivery/records.ts";
import type { Completion, ReadableEndpoint, Subscription } from "../../src/store/records.ts";
import { deleteSubscription } from "../../src/store/resources/subscriptions.ts";
import {
	type Call,
	incoming,
	model,
	rowsFail,
	runAlarm,
	type Setting,
	until,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";
import { createJobSetting, deliver, ORIGIN, replicate } from "./jobs.fixtures.ts";

afterEach(() => vi.restoreAllMocks());

const result = { type: "text.read", transform: null, maxHops: 8, allowCycles: false };
const retry = {
	// So long that nothing of it is sent again while other tests listen.
	scheduleSeconds: [3_600, 3_600],
	busyMaxWaitSeconds: 0,
	coldStartSeconds: 0,
	statuses: [],
	busyStatuses: [],
};

async function calledBack(
	endpoint: Partial<ReadableEndpoint> = {},
	completion: Partial<Completion> = {},
	subscription: Partial<Subscription> = {},
): Promise<Setting> {
	return createJobSetting(
		{ retry, ...endpoint },
		{ mode: "callback", callbackOrigin: ORIGIN, ...completion },
		subscription,
	);
}

async function post(url: string, body: unknown, status: number | null = null) {
	const headers = { "content-type": "application/json", ...(status && { [STATUS_HEADER]: String(status) }) };
	const init = { method: "POST", body: JSON.stringify(body), headers };
	const response = await app.request(url, init, env);
	return { status: response.status, body: await response.json<Record<string, unknown>>() };
}

const TAKEN = { status: 200, body: { effect: "taken" } };
const NONE = { status: 200, body: { effect: "none" } };

function urlOf(call: Call | undefined): string {
	return call?.headers.get("sluice-callback-url") ?? "";
}

async function begun(setting: Setting, answer: (call: Call) => Response | Promise<Response>) {
	const calls = model(answer);
	const id = await deliver(setting);
	await until(() => calls.length > 0);
	return { id, url: urlOf(calls[0]), calls };
}

async function waiting(
	setting: Setting,
	answer: () => Response | Promise<Response> = () =>
		Response.json({ id: "p1", status: "starting" }, { status: 202 }),
) {
	const job = await begun(setting, answer);
	await whenStatus(setting, job.id, "waiting");
	return job;
}

/** A server that responds only when it is told to. */
function slow(status = 202) {
	let mayRespond = false;
	return {
		answer: async () => {
			await until(() => mayRespond);
			return Response.json({}, { status });
		},
		respond: () => {
			mayRespond = true;
		},
	};
}

async function stored({ dispatcher }: Setting, id: string): Promise<unknown> {
	return runInDurableObject(
		dispatcher,
		(_, { storage }) =>
			storage.sql.exec("SELECT status FROM deliveries WHERE id = ?", id).toArray()[0]?.["status"],
	);
}

describe("a failure costs one attempt, however often the server reports it", () => {
	test("after the response to its request", async () => {
		const setting = await calledBack();
		const { id, url } = await waiting(setting);
		expect(await post(url, { error: "out of memory" }, 500)).toMatchObject(TAKEN);
		expect(await post(url, { error: "out of memory" }, 500)).toMatchObject(NONE);
		expect(await post(url, { error: "out of memory" }, 422)).toMatchObject(NONE);
		expect(await setting.dispatcher.get(id)).toMatchObject({
			status: "pending",
			attempts: [
				{
					job: {
						outcome: "error",
						error: 'The server called back with status 500: {"error":"out of memory"}',
					},
				},
			],
		});
	});

	test("before the response, and the attempt is recorded once", async () => {
		const setting = await calledBack();
		const server = slow();
		const { id, url } = await begun(setting, server.answer);
		expect(await post(url, {}, 500)).toMatchObject(TAKEN);
		expect(await post(url, {}, 500)).toMatchObject(NONE);
		server.respond();
		expect(await whenTried(setting, id)).toMatchObject({
			status: "pending",
			attempts: [{ number: 1, statusCode: 202, job: { outcome: "error" } }],
		});
	});

	test("and a success that comes after a failure, before the response, counts within the same attempt", async () => {
		const setting = await calledBack();
		const server = slow();
		const { id, url } = await begun(setting, server.answer);
		expect(await post(url, {}, 500)).toMatchObject(TAKEN);
		expect(await post(url, "after all")).toMatchObject(TAKEN);
		server.respond();
		await vi.waitFor(async () => {
			expect(await setting.dispatcher.get(id)).toMatchObject({
				status: "succeeded",
				attempts: [{ number: 1, statusCode: 202, job: { outcome: "done" } }],
			});
		});
	});

	test("also where the server says so because the router has canceled the job at the deadline", async () => {
		const setting = await calledBack(replicate, { deadlineSeconds: 600 });
		const calls = model(({ method, url }) => {
			if (url.endsWith("/cancel")) return Response.json({});
			return Response.json({ id: "p1", status: "processing" }, { status: method === "POST" ? 201 : 200 });
		});
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "waiting");
		const now = Date.now();
		vi.spyOn(Date, "now").mockReturnValue(now + 601_000);
		await runAlarm(setting);
		await until(() => calls.some(({ url }) => url.endsWith("/cancel")));
		await whenStatus(setting, item.id, "pending");
		expect(await post(urlOf(calls[0]), { id: "p1", status: "canceled" })).toMatchObject(NONE);
		expect(await setting.dispatcher.get(item.id)).toMatchObject({
			status: "pending",
			attempts: [{ job: { by: "deadline" } }],
		});
	});
});

async function secondAttempt(setting: Setting) {
	const first = await waiting(setting, () => new Response("", { status: 202 }));
	expect(await post(first.url, {}, 500)).toMatchObject(TAKEN);
	await setting.dispatcher.retry(first.id);
	await until(() => first.calls.length === 2);
	await whenStatus(setting, first.id, "waiting");
	return { ...first, second: urlOf(first.calls[1]) };
}

test("a delivery that a callback has ended is shown as ended while the response to its request is awaited", async () => {
	const setting = await calledBack();
	const server = slow();
	const { id, url } = await begun(setting, server.answer);
	const shown = async (status?: DeliveryStatus) => {
		const { items } = await setting.dispatcher.list({ ...(status && { status }), limit: 10 });
		return items.map((item) => item.status);
	};
	expect(await shown("in_flight")).toEqual(["in_flight"]);
	expect(await post(url, "early")).toMatchObject(TAKEN);
	expect(await setting.dispatcher.get(id)).toMatchObject({ status: "succeeded" });
	expect(await shown()).toEqual(["succeeded"]);
	expect(await shown("succeeded")).toEqual(["succeeded"]);
	expect(await shown("in_flight")).toEqual([]);
	server.respond();
	await vi.waitFor(async () => {
		expect(await setting.dispatcher.get(id)).toMatchObject({
			attempts: [{ statusCode: 202, job: { outcome: "done" } }],
		});
	});
	expect(await shown("succeeded")).toEqual(["succeeded"]);
});

describe("a callback of an earlier attempt, while a later one has its job", () => {
	test("does not end that job by its failure, which has been counted", async () => {
		const setting = await calledBack();
		const { id, url, second } = await secondAttempt(setting);
		expect(second).not.toBe(url);
		expect(await post(url, {}, 500)).toMatchObject(NONE);
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "waiting" });
		expect(await post(second, {}, 500)).toMatchObject(TAKEN);
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "pending" });
	});

	test("counts by its success", async () => {
		const setting = await calledBack();
		const { id, url } = await secondAttempt(setting);
		expect(await post(url, "after all")).toMatchObject(TAKEN);
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "succeeded" });
	});

	test("and by its success the newer job is canceled, and the end is shown with the attempt that it ends", async () => {
		const setting = await calledBack(replicate);
		let jobs = 0;
		const { id, url, calls } = await waiting(setting, () =>
			Response.json({ id: `p${(jobs += 1)}`, status: "starting" }, { status: 202 }),
		);
		expect(await post(url, { id: "p1", status: "failed", error: "out of memory" })).toMatchObject(TAKEN);
		await setting.dispatcher.retry(id);
		await whenStatus(setting, id, "waiting");
		expect(await post(url, { id: "p1", status: "succeeded", output: "after all" })).toMatchObject(TAKEN);
		await until(() => calls.some((call) => call.url.endsWith("/cancel")));
		expect(calls.at(-1)?.url).toBe("https://api.example.com/v1/predictions/p2/cancel");
		expect(await setting.dispatcher.get(id)).toMatchObject({
			status: "succeeded",
			attempts: [{ job: { outcome: "done" } }, { outcome: "accepted" }],
		});
	});

	test("and by its success before the newer job has a response, that job is canceled when it is known", async () => {
		const setting = await calledBack({ protocol: "cog", url: "https://cog.example.com" });
		const server = slow();
		let isFirst = true;
		const first = await waiting(setting, () =>
			isFirst ? new Response("", { status: 202 }) : server.answer(),
		);
		const { id, calls } = first;
		expect(await post(first.url, { status: "failed" })).toMatchObject(TAKEN);
		isFirst = false;
		await setting.dispatcher.retry(id);
		await until(() => calls.length === 2);
		expect(await post(first.url, { status: "succeeded", output: 1 })).toMatchObject(TAKEN);
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "succeeded" });
		server.respond();
		await until(() => calls.length === 3);
		expect(calls[2]?.url).toBe(`https://cog.example.com/predictions/${id}-1/cancel`);
		await vi.waitFor(async () => {
			expect(await setting.dispatcher.get(id)).toMatchObject({
				status: "succeeded",
				attempts: [
					{ number: 1, job: { outcome: "done" } },
					{ number: 2, statusCode: 202, outcome: "accepted" },
				],
			});
		});
	});

	test("counts by its failure where its response was lost: the server may have joined the two requests", async () => {
		const setting = await calledBack();
		let isLost = true;
		const { id, url, calls } = await begun(setting, () =>
			isLost ? Promise.reject(new TypeError("Network connection lost.")) : new Response("", { status: 202 }),
		);
		await whenTried(setting, id);
		isLost = false;
		await setting.dispatcher.retry(id);
		await until(() => calls.length === 2);
		await whenStatus(setting, id, "waiting");
		expect(await post(url, {}, 500)).toMatchObject(TAKEN);
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "pending" });
	});

	test.each(["", "?attempt=", "?attempt=0", "?attempt=x", "?attempt=1e3"])(
		"counts as one of the job that runs where its URL does not say the attempt: %j",
		async (query) => {
			const setting = await calledBack();
			const { id, second } = await secondAttempt(setting);
			expect(await post(second.replace(/\?.*$/, query), {}, 500)).toMatchObject(TAKEN);
			expect(await setting.dispatcher.get(id)).toMatchObject({ status: "pending" });
		},
	);
});

describe("a retry by hand of a delivery that waits", () => {
	test("cancels the job that runs, whose end then means nothing for the next one", async () => {
		const setting = await calledBack(replicate);
		const { id, url, calls } = await waiting(setting);
		expect(await setting.dispatcher.retry(id)).toMatchObject({ ok: true });
		await until(() => calls.some(({ url }) => url.endsWith("/v1/predictions/p1/cancel")));
		await whenStatus(setting, id, "waiting");
		expect(await post(url, { id: "p1", status: "canceled" })).toMatchObject(NONE);
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "waiting" });
	});

	test("begins a prediction of its own where the router names predictions, so that no cancel can reach it", async () => {
		const setting = await calledBack({ protocol: "cog", url: "https://cog.example.com" });
		const { id, calls } = await waiting(setting, () => new Response("", { status: 202 }));
		await setting.dispatcher.retry(id);
		await until(() => calls.length === 3);
		expect(calls.map(({ method, url }) => `${method} ${url}`).toSorted()).toEqual([
			`POST https://cog.example.com/predictions/${id}/cancel`,
			`PUT https://cog.example.com/predictions/${id}`,
			`PUT https://cog.example.com/predictions/${id}-1`,
		]);
		await whenStatus(setting, id, "waiting");
		await setting.dispatcher.cancel(id);
		await until(() => calls.length === 4);
		expect(calls[3]?.url).toBe(`https://cog.example.com/predictions/${id}-1/cancel`);
	});
});

test("a prediction whose request was lost is joined under its name by the next attempt", async () => {
	const setting = await calledBack({ protocol: "cog", url: "https://cog.example.com" });
	const { id, calls } = await begun(setting, () => new Response("", { status: 500 }));
	await whenTried(setting, id);
	await setting.dispatcher.retry(id);
	await until(() => calls.length === 2);
	expect(calls[1]?.url).toBe(`https://cog.example.com/predictions/${id}`);
});

test("a job whose output is gone when its server reports its end has not succeeded", async () => {
	const setting = await calledBack(replicate);
	const { id, url } = await waiting(setting);
	const gone = { id: "p1", status: "succeeded", output: null, data_removed: true };
	expect(await post(url, gone)).toMatchObject(TAKEN);
	const delivery = await setting.dispatcher.get(id);
	expect(delivery).toMatchObject({ status: "pending", attempts: [{ job: { outcome: "error" } }] });
	expect(delivery?.attempts[0]?.job?.error).toContain("deleted");
});

test.each([429, 503])(
	"a job that ends as busy (%i) spends an attempt, so that the schedule bounds it",
	async (status) => {
		const setting = await calledBack();
		const { id, url } = await waiting(setting);
		expect(await post(url, {}, status)).toMatchObject(TAKEN);
		const delivery = await setting.dispatcher.get(id);
		expect(delivery?.status).toBe("pending");
		expect(delivery?.nextAttemptAt).toBeGreaterThan(Date.now() + 30_000);
	},
);

test.each([401, 402, 410])(
	"whoever calls back tells of one job, and cannot stop the endpoint (%i)",
	async (status) => {
		const setting = await calledBack();
		const { id, url } = await waiting(setting);
		expect(await post(url, {}, status)).toMatchObject(TAKEN);
		const row = await env.DB.prepare("SELECT status FROM endpoints WHERE id = ?")
			.bind(setting.endpoint.id)
			.first();
		expect(row).toEqual({ status: "active" });
		expect(await setting.dispatcher.blocked()).toEqual({ blockedBy: null, blockedUntil: null });
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "pending" });
	},
);

test("the callback of a delivery whose subscription is deleted ends it, and frees its slot", async () => {
	const setting = await calledBack({ maxConcurrency: 1 }, { holdSlot: true });
	const { id, url } = await waiting(setting);
	expect((await setting.dispatcher.blocked()).blockedBy).toBe("capacity");
	await deleteSubscription(env, setting.subscription.id);
	await setting.dispatcher.refresh();
	expect(await post(url, "output")).toMatchObject({ status: 200 });
	expect(await whenStatus(setting, id, "dead")).toMatchObject({ reason: "deleted" });
	expect(await setting.dispatcher.blocked()).toEqual({ blockedBy: null, blockedUntil: null });
});

test("a cancel reaches the server also when the object has been evicted meanwhile", async () => {
	const setting = await calledBack(replicate);
	const { id, calls } = await waiting(setting);
	await evictDurableObject(setting.dispatcher);
	expect(await setting.dispatcher.cancel(id)).toMatchObject({ ok: true, delivery: { status: "canceled" } });
	await until(() => calls.length === 2);
	expect(calls[1]?.url).toBe("https://api.example.com/v1/predictions/p1/cancel");
});

describe("while nothing can be written", () => {
	test("a callback is refused until what it says is durable, and counts then", async () => {
		const setting = await calledBack();
		const { id, url } = await waiting(setting);
		await rowsFail(setting, true);
		expect(await post(url, "output")).toMatchObject({ status: 503 });
		expect(await post(url, "output")).toMatchObject({ status: 503 });
		expect(await stored(setting, id)).toBe("accepted");
		await rowsFail(setting, false);
		expect((await post(url, "output")).status).toBe(200);
		expect(await stored(setting, id)).toBe("succeeded");
	});

	test("an early callback is refused as well, and the response does not confirm it", async () => {
		const setting = await calledBack();
		const server = slow();
		const { id, url } = await begun(setting, server.answer);
		await rowsFail(setting, true);
		expect(await post(url, "output")).toMatchObject({ status: 503 });
		expect(await post(url, "output")).toMatchObject({ status: 503 });
		await rowsFail(setting, false);
		expect((await post(url, "output")).status).toBe(200);
		expect(await stored(setting, id)).toBe("succeeded");
		server.respond();
		await whenStatus(setting, id, "succeeded");
	});

	test("a failed write at the beginning of the job does not undo its end", async () => {
		const setting = await calledBack();
		const server = slow();
		const { id, url } = await begun(setting, server.answer);
		await rowsFail(setting, true);
		server.respond();
		await vi.waitFor(async () => {
			expect(await setting.dispatcher.get(id)).toMatchObject({ attempts: [{ outcome: "accepted" }] });
		});
		await rowsFail(setting, false);
		expect(await post(url, "output")).toMatchObject(TAKEN);
		await runAlarm(setting);
		await new Promise((resolve) => setTimeout(resolve, 20));
		expect(await stored(setting, id)).toBe("succeeded");
		expect(await setting.dispatcher.get(id)).toMatchObject({
			status: "succeeded",
			attempts: [{ statusCode: 202 }],
		});
	});
});

test.each([202, 500, 200])(
	"the response (%i) that comes while a callback is being taken changes nothing of what it has ended",
	async (status) => {
		const setting = await calledBack({}, {}, { result });
		const server = slow(status);
		const { id, url } = await begun(setting, server.answer);
		const published: string[] = [];
		let mayPublish = false;
		vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
			published.push(message);
			await until(() => mayPublish);
			return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
		});
		const posted = post(url, "output");
		await until(() => published.length === 1);
		server.respond();
		await new Promise((resolve) => setTimeout(resolve, 20));
		mayPublish = true;
		expect(await posted).toMatchObject(TAKEN);
		const delivery = await whenStatus(setting, id, "succeeded");
		expect(delivery.result?.data).toEqual({ kind: "json", text: '"output"' });
		expect(delivery.attempts).toMatchObject([{ number: 1, statusCode: status, job: { outcome: "done" } }]);
		expect(published).toHaveLength(1);
	},
);

test("a callback that comes while the response is being judged waits for it, and cannot undo its output", async () => {
	const setting = await calledBack({}, {}, { result });
	const server = slow(200);
	const { id, url } = await begun(setting, server.answer);
	let [isPublishing, mayPublish] = [false, false];
	vi.spyOn(env.EVENTS, "send").mockImplementation(async () => {
		isPublishing = true;
		await until(() => mayPublish);
		return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
	});
	server.respond();
	await until(() => isPublishing);
	const posted = post(url, {}, 500);
	await new Promise((resolve) => setTimeout(resolve, 20));
	mayPublish = true;
	expect(await posted).toMatchObject(NONE);
	expect(await whenStatus(setting, id, "succeeded")).toMatchObject({
		attempts: [{ number: 1, statusCode: 200 }],
	});
});

test("a callback that finds the object evicted while a hand has the request belongs to that request", async () => {
	const setting = await calledBack({ maxConcurrency: 6 });
	const server = slow();
	const calls = model(server.answer);
	const items = Array.from({ length: 6 }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	await until(() => calls.length === 6);
	const carried = calls.at(-1);
	await runInDurableObject(setting.dispatcher, (_, state) => state.abort("lost")).catch(() => {});
	expect(await post(urlOf(carried), {}, 500)).toMatchObject(TAKEN);
	server.respond();
	const reached = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
	expect(await whenTried(reached, carried?.deliveryId ?? "")).toMatchObject({
		status: "pending",
		attempts: [{ number: 1, statusCode: 202, job: { outcome: "error" } }],
	});
});
