import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { changeSubscription } from "../store/change.ts";
import { dispatcher } from "../../src/objects/clients.ts";
import { findEvent } from "../../src/events/log/find.ts";
import { deleteEndpoint, findEndpoint, updateEndpoint } from "../../src/store/resources/endpoints.ts";
import type { ResultPolicy } from "../../src/store/records.ts";
import {
	deleteSubscription,
	findSubscription,
	updateSubscription,
} from "../../src/store/resources/subscriptions.ts";
import {
	type Call,
	createSetting,
	incoming,
	model,
	runAlarm,
	until,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const ok = () => Response.json({ text: "read" });

describe("a delivery that succeeds", () => {
	test("is sent once, with its data unchanged, and keeps the response unchanged", async () => {
		const setting = await createSetting();
		const calls = model(
			() => new Response('{"n": 9007199254740993}', { headers: { "content-type": "application/json" } }),
		);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const delivery = await whenStatus(setting, item.id, "succeeded");
		expect(calls).toMatchObject([
			{ deliveryId: item.id, attempt: "1", body: expect.stringContaining('"data":{"number":') },
		]);
		expect(delivery).toMatchObject({
			reason: null,
			nextAttemptAt: null,
			result: { data: { kind: "json", text: '{"n": 9007199254740993}' } },
			attempts: [{ number: 1, statusCode: 200, outcome: "done" }],
		});
	});

	test("costs two rows and a share of one, and leaves nothing in the inbox", async () => {
		const setting = await createSetting();
		model(ok);
		const items = Array.from({ length: 10 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		for (const { id } of items) await whenStatus(setting, id, "succeeded");
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			expect(storage.sql.exec("SELECT * FROM inbox").toArray()).toEqual([]);
			expect(storage.sql.exec("SELECT count(*) AS n FROM deliveries WHERE event IS NULL").one()).toEqual({
				n: 10,
			});
		});
	});
});

describe("the same delivery again", () => {
	test("is not sent twice: while it waits, while it is under way, and after it is done", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		let answered = 0;
		const calls: Call[] = model(async () => {
			const number = calls.length;
			await until(() => answered >= number);
			return ok();
		});
		const [first, second] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([first, second]);
		await setting.dispatcher.enqueue([first, second]);
		await vi.waitFor(() => expect(calls).toHaveLength(1));
		answered = 1;
		await whenStatus(setting, first.id, "succeeded");
		await setting.dispatcher.enqueue([first]);
		await vi.waitFor(() => expect(calls).toHaveLength(2));
		answered = 2;
		await whenStatus(setting, second.id, "succeeded");
		await runAlarm(setting);
		expect(calls.map((call) => call.deliveryId)).toEqual([first.id, second.id]);
	});

	test("is listed once while it waits", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await setting.dispatcher.enqueue([item]);
		expect((await setting.dispatcher.list({ limit: 10 })).items.map(({ id }) => id)).toEqual([item.id]);
	});
});

describe("the in-flight limit", () => {
	test("is never exceeded, and deliveries continue as slots become free", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 2 } });
		let now = 0;
		let most = 0;
		model(async () => {
			most = Math.max(most, ++now);
			await new Promise((resolve) => setTimeout(resolve, 5));
			now -= 1;
			return ok();
		});
		const items = Array.from({ length: 12 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		for (const { id } of items) await whenStatus(setting, id, "succeeded");
		expect(most).toBe(2);
	});
});

describe("a failed attempt", () => {
	test("is recorded with what went wrong, and the delivery waits for its step of the schedule", async () => {
		const setting = await createSetting();
		model(() => new Response("model not loaded", { status: 500, headers: { "content-type": "text/plain" } }));
		const item = incoming(setting);
		const before = Date.now();
		await setting.dispatcher.enqueue([item]);
		const delivery = await whenTried(setting, item.id);
		expect(delivery).toMatchObject({
			status: "pending",
			attempts: [{ statusCode: 500, outcome: "error", excerpt: "model not loaded" }],
		});
		expect(delivery.nextAttemptAt).toBeGreaterThan(before + 47_000);
		const alarm = await runInDurableObject(setting.dispatcher, (_, { storage }) => storage.getAlarm());
		expect(alarm).toBeLessThanOrEqual(delivery.nextAttemptAt ?? 0);
	});

	test("is followed by the next one when it is due, under the same id", async () => {
		const setting = await createSetting({
			endpoint: {
				retry: {
					scheduleSeconds: [0, 60],
					busyMaxWaitSeconds: 0,
					coldStartSeconds: 0,
					statuses: [],
					busyStatuses: [],
				},
			},
		});
		const calls = model(({ attempt }) => (attempt === "1" ? new Response(null, { status: 502 }) : ok()));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const delivery = await whenStatus(setting, item.id, "succeeded");
		expect(delivery.attempts.map(({ outcome }) => outcome)).toEqual(["error", "done"]);
		expect(calls.map((call) => [call.deliveryId, call.attempt])).toEqual([
			[item.id, "1"],
			[item.id, "2"],
		]);
	});

	test("is recorded even when what follows from it for the endpoint cannot be stored", async () => {
		const setting = await createSetting();
		const calls = model(() => new Response(null, { status: 429, headers: { "retry-after": "600" } }));
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			const put = storage.kv.put.bind(storage.kv);
			vi.spyOn(Object.getPrototypeOf(storage.kv) as SyncKvStorage, "put").mockImplementation((key, value) => {
				if (key === "hold_until") throw new Error("disk I/O error");
				put(key, value);
			});
		});
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const delivery = await whenTried(setting, item.id);
		expect(delivery.attempts[0]).toMatchObject({ outcome: "busy", statusCode: 429 });
		expect(delivery.nextAttemptAt).toBeGreaterThan(Date.now() + 500_000);
		expect(calls).toHaveLength(1);
	});

	test("whose record cannot be written is written later, and never sent again for it", async () => {
		const setting = await createSetting();
		const calls = model(ok);
		const item = incoming(setting);
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			storage.sql.exec(
				"CREATE TRIGGER broken BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
			);
		});
		await setting.dispatcher.enqueue([item]);
		await vi.waitFor(() => expect(calls).toHaveLength(1));
		await runAlarm(setting);
		await runAlarm(setting);
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			storage.sql.exec("DROP TRIGGER broken");
		});
		await runAlarm(setting);
		const delivery = await whenStatus(setting, item.id, "succeeded");
		expect(delivery.attempts).toHaveLength(1);
		expect(calls).toHaveLength(1);
	});
});

describe("the endpoint", () => {
	test("is paused by a 401, keeps its backlog, and continues when it is resumed", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		let authorized = false;
		const calls = model(() => (authorized ? ok() : new Response(null, { status: 401 })));
		const items = [incoming(setting), incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue(items);
		await vi.waitFor(async () => {
			expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({
				status: "paused",
				statusReason: "unauthorized",
			});
		});
		await runAlarm(setting);
		expect(calls).toHaveLength(1);
		authorized = true;
		await env.DB.prepare("UPDATE endpoints SET status = 'active', status_reason = NULL WHERE id = ?")
			.bind(setting.endpoint.id)
			.run();
		await setting.dispatcher.refresh();
		for (const { id } of items) await whenStatus(setting, id, "succeeded");
		expect(calls).toHaveLength(4);
	});

	test("is not paused by the response to a request from before it was changed", async () => {
		const setting = await createSetting({ endpoint: { updatedAt: 1 } });
		const calls = model(async () => {
			if (calls.length > 1) return ok();
			// In D1 already, and not told yet.
			await updateEndpoint(env, setting.endpoint, { auth: { type: "bearer", token: "the new one" } });
			return new Response(null, { status: 401 });
		});
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "succeeded");
		expect(calls).toHaveLength(2);
		expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ status: "active" });
	});

	test("is disabled by 410, and that delivery is dead", async () => {
		const setting = await createSetting();
		model(() => new Response(null, { status: 410 }));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		expect(await whenStatus(setting, item.id, "dead")).toMatchObject({ reason: "gone" });
		expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({
			status: "disabled",
			statusReason: "gone",
		});
	});

	test("is left alone as a whole for as long as a 429 asks, and no attempt is spent", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		const calls = model(() => new Response(null, { status: 429, headers: { "retry-after": "120" } }));
		const [first, second] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([first, second]);
		const delivery = await whenTried(setting, first.id);
		await runAlarm(setting);
		expect(calls).toHaveLength(1);
		expect(delivery.attempts[0]).toMatchObject({ outcome: "busy", statusCode: 429 });
		expect(delivery.nextAttemptAt).toBeGreaterThanOrEqual(Date.now() + 110_000);
		expect(await setting.dispatcher.get(second.id)).toMatchObject({ status: "pending", attempts: [] });
	});

	test("that is deleted ends its deliveries as dead", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const calls = model(ok);
		const items = Array.from({ length: 5 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		await deleteSubscription(env, setting.subscription.id);
		await deleteEndpoint(env, setting.endpoint.id);
		await setting.dispatcher.refresh();
		for (const { id } of items) {
			expect(await whenStatus(setting, id, "dead")).toMatchObject({ reason: "deleted" });
		}
		expect(calls).toEqual([]);
	});
});

describe("a delivery that must not be sent", () => {
	test("ends dead with its reason, without an attempt", async () => {
		const setting = await createSetting({ subscription: { transform: "data.number + 'x'" } });
		const calls = model(ok);
		const [loop, transform] = [incoming(setting, { dead: "loop" }), incoming(setting)];
		await setting.dispatcher.enqueue([loop, transform]);
		expect(await whenStatus(setting, loop.id, "dead")).toMatchObject({ reason: "loop", attempts: [] });
		expect(await whenStatus(setting, transform.id, "dead")).toMatchObject({
			reason: "transform_failed",
			detail: expect.stringContaining("transform failed"),
		});
		expect(calls).toEqual([]);
	});
});

describe("a transform that overruns", () => {
	const HOSTILE = "($f := function($n) { $f($n + 1) }; $f(0))";
	const dead = {
		reason: "transform_failed",
		detail: expect.stringContaining("it is set aside: the expression takes"),
	};

	test("is set aside: nothing is sent, and its deliveries can be retried once it is fixed", async () => {
		const setting = await createSetting({ subscription: { transform: HOSTILE } });
		const neighbour = await createSetting();
		const calls = model(ok);
		const items = Array.from({ length: 20 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		for (const { id } of items)
			expect(await whenStatus(setting, id, "dead")).toMatchObject({ ...dead, attempts: [] });
		const { id } = setting.subscription;
		await vi.waitUntil(async () => (await findSubscription(env, id))?.quarantine?.field === "transform", {
			timeout: 20_000,
		});
		const bystander = incoming(neighbour);
		await neighbour.dispatcher.enqueue([bystander]);
		await whenStatus(neighbour, bystander.id, "succeeded");
		expect(calls).toHaveLength(1);

		await changeSubscription(id, { transform: "data.number", quarantine: null });
		await setting.dispatcher.refresh();
		const [first] = items;
		await setting.dispatcher.retry(first?.id ?? "");
		await whenStatus(setting, first?.id ?? "", "succeeded");
		expect(calls).toHaveLength(2);
	});

	test("of a result: the response is kept, and the model is not called again", async () => {
		const setting = await createSetting({ subscription: { result: published(HOSTILE) } });
		const calls = model(ok);
		const items = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue(items);
		for (const { id } of items) {
			expect(await whenStatus(setting, id, "dead")).toMatchObject({
				...dead,
				result: { data: { text: '{"text":"read"}' } },
			});
		}
		const { id } = setting.subscription;
		await vi.waitUntil(
			async () => (await findSubscription(env, id))?.quarantine?.field === "result.transform",
			{
				timeout: 20_000,
			},
		);
		await changeSubscription(id, { result: published("result.text"), quarantine: null });
		await setting.dispatcher.refresh();
		for (const item of items) await setting.dispatcher.retry(item.id);
		for (const item of items) await whenStatus(setting, item.id, "succeeded");
		expect(calls).toHaveLength(2);
	});
});

const published = (transform: string): ResultPolicy => ({
	type: "document.read",
	transform,
	maxHops: 8,
	allowCycles: false,
});

describe("a response that cannot be transformed", () => {
	test("is kept, and a retry applies the fixed transform without another request", async () => {
		const setting = await createSetting({ subscription: { result: published("result.missing") } });
		const calls = model(ok);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const failed = { reason: "transform_failed", result: { data: { text: '{"text":"read"}' } } };
		expect(await whenStatus(setting, item.id, "dead")).toMatchObject(failed);
		await setting.dispatcher.retry(item.id);
		expect(await whenStatus(setting, item.id, "dead")).toMatchObject(failed);

		await updateSubscription(env, setting.subscription, { result: published("result.text") });
		await setting.dispatcher.refresh();
		await setting.dispatcher.retry(item.id);
		const delivery = await whenStatus(setting, item.id, "succeeded");
		expect(delivery).toMatchObject({ attempts: [{ number: 1, outcome: "done" }], ...failed, reason: null });
		const entry = await vi.waitUntil(async () => await findEvent(env, delivery.resultEventId ?? ""));
		expect(entry.event).toMatchObject({
			attributes: { type: "document.read", datacontenttype: "application/json" },
			data: { kind: "json", text: '"read"' },
		});
		expect(calls).toHaveLength(1);
	});

	test("is no longer needed if the subscription publishes no results by then", async () => {
		const setting = await createSetting({ subscription: { result: published("result.missing") } });
		const calls = model(ok);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "dead");
		await updateSubscription(env, setting.subscription, { result: null });
		await setting.dispatcher.refresh();
		await setting.dispatcher.retry(item.id);
		expect(await whenStatus(setting, item.id, "succeeded")).toMatchObject({ resultEventId: null });
		expect(calls).toHaveLength(1);
	});
});

describe("after the object is lost", () => {
	test("pending work continues: untried, waiting for a retry, and interrupted", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 2 } });
		let answering = false;
		const calls = model(async () => {
			await until(() => answering);
			return ok();
		});
		const items = Array.from({ length: 5 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		await vi.waitFor(() => expect(calls).toHaveLength(2));
		await runInDurableObject(setting.dispatcher, (_, state) => state.abort("lost")).catch(() => {});
		// A stub does not outlive the object that it led to.
		const again = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		answering = true;
		await runAlarm(again);
		for (const { id } of items) {
			expect(await whenStatus(again, id, "succeeded")).toMatchObject({ attempts: [{ number: 1 }] });
		}
	});

	test("listing or retrying its deliveries says that the endpoint is paused", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const paused = { status: "pending", blockedBy: "paused", blockedUntil: null, nextAttemptAt: null };
		const woken = async () => {
			await evictDurableObject(dispatcher(env, setting.endpoint.id));
			return dispatcher(env, setting.endpoint.id);
		};
		expect(await (await woken()).get(item.id)).toMatchObject(paused);
		expect((await (await woken()).list({ limit: 10 })).items).toMatchObject([paused]);
		expect(await (await woken()).retry(item.id)).toMatchObject({ ok: true, delivery: paused });
	});

	test("its deliveries are read while the database fails, and say that nothing is sent because of that", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await evictDurableObject(setting.dispatcher);
		const database = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1 is down"));
		const woken = dispatcher(env, setting.endpoint.id);
		const blind = { status: "pending", blockedBy: "database", blockedUntil: null, nextAttemptAt: null };
		expect(await woken.get(item.id)).toMatchObject(blind);
		expect((await woken.list({ limit: 10 })).items).toMatchObject([blind]);
		expect(await woken.blocked()).toEqual({ blockedBy: "database", blockedUntil: null });
		database.mockRestore();
		expect(await woken.get(item.id)).toMatchObject({ ...blind, blockedBy: "paused" });
	});
});

describe("the alarm", () => {
	test("is set again even when the handler fails", async () => {
		const setting = await createSetting();
		const calls = model(ok);
		const database = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: overloaded"));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await runAlarm(setting);
		const alarm = await runInDurableObject(setting.dispatcher, (_, { storage }) => storage.getAlarm());
		expect(alarm).not.toBeNull();
		expect(calls).toEqual([]);
		database.mockRestore();
		await runAlarm(setting);
		await whenStatus(setting, item.id, "succeeded");
	});
});

test("a failing sweep stops neither the alarm nor due deliveries", async () => {
	const setting = await createSetting({ endpoint: { status: "paused" } });
	const calls = model(() => new Response(null, { status: 204 }));
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await runInDurableObject(setting.dispatcher, (_, { storage: { sql } }) => {
		const exec = sql.exec.bind(sql);
		vi.spyOn(Object.getPrototypeOf(sql) as SqlStorage, "exec").mockImplementation((query, ...bindings) => {
			if (query.includes("DELETE FROM deliveries")) throw new Error("the sweep fails");
			return exec(query, ...bindings);
		});
	});
	await updateEndpoint(env, setting.endpoint, { status: "active", statusReason: null });
	await setting.dispatcher.refresh({ repaired: true });
	await runAlarm(setting);
	await whenStatus(setting, item.id, "succeeded");
	expect(calls).toHaveLength(1);
	expect(await runInDurableObject(setting.dispatcher, (_, { storage }) => storage.getAlarm())).not.toBeNull();
});

describe("a result event", () => {
	const result = { type: "never.published.either", transform: null, maxHops: 8, allowCycles: false };

	test("is in the queue before the delivery is done", async () => {
		const setting = await createSetting({ subscription: { result } });
		model(ok);
		const sent: string[] = [];
		vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
			sent.push(message);
			return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
		});
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const delivery = await whenStatus(setting, item.id, "succeeded");
		expect(sent).toHaveLength(1);
		expect(sent[0]).toContain(delivery.resultEventId);
		expect(sent[0]).toContain('{"text":"read"}');
	});

	test("that the queue refuses is offered again, without asking the model again", async () => {
		const setting = await createSetting({ subscription: { result } });
		const calls = model(ok);
		const send = vi.spyOn(env.EVENTS, "send").mockRejectedValueOnce(new Error("Too Many Requests"));
		send.mockResolvedValue({} as Awaited<ReturnType<typeof env.EVENTS.send>>);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const waiting = await whenStatus(setting, item.id, "publishing");
		expect(waiting).toMatchObject({ resultEventId: null, result: { data: { text: '{"text":"read"}' } } });
		expect((await setting.dispatcher.list({ status: "publishing", limit: 10 })).items).toHaveLength(1);
		expect((await setting.dispatcher.list({ status: "waiting", limit: 10 })).items).toEqual([]);
		// The word of release 0.1, which reads this row when a deploy is rolled back.
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			expect(storage.sql.exec("SELECT status FROM deliveries").toArray()).toEqual([{ status: "waiting" }]);
		});
		await setting.dispatcher.retry(item.id);
		const delivery = await whenStatus(setting, item.id, "succeeded");
		expect(delivery.resultEventId).toMatch(/^evt_/);
		expect(calls).toHaveLength(1);
		expect(send).toHaveBeenCalledTimes(2);
	});
});

describe("the loop", () => {
	test("continues at once when deliveries end without a request", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		model(ok);
		const loops = Array.from({ length: 40 }, () => incoming(setting, { dead: "loop" }));
		const healthy = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([...loops, ...healthy]);
		// The alarm that would make up for a missed turn is ten seconds away, and this waits for five.
		for (const { id } of healthy) await whenStatus(setting, id, "succeeded");
	});

	test("lets retries and untried deliveries take turns", async () => {
		const retry = {
			scheduleSeconds: [0, 0, 0, 60],
			busyMaxWaitSeconds: 0,
			coldStartSeconds: 0,
			statuses: [],
			busyStatuses: [],
		};
		const setting = await createSetting({ endpoint: { maxConcurrency: 1, retry } });
		const failing = Array.from({ length: 4 }, () => incoming(setting));
		const healthy = incoming(setting);
		const calls = model(({ deliveryId }) =>
			deliveryId === healthy.id ? ok() : new Response(null, { status: 500 }),
		);
		await setting.dispatcher.enqueue([...failing, healthy]);
		await whenStatus(setting, healthy.id, "succeeded");
		// All retries of four deliveries would be sixteen calls before it.
		expect(calls.findIndex(({ deliveryId }) => deliveryId === healthy.id)).toBeLessThan(11);
	});
});

describe("a Retry-After of the endpoint", () => {
	test("holds when the object is lost meanwhile, and when a subscription changes", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		const calls = model(() => new Response(null, { status: 429, headers: { "retry-after": "3600" } }));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		await runInDurableObject(setting.dispatcher, (_, state) => state.abort("lost")).catch(() => {});
		const again = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		await again.dispatcher.enqueue([incoming(setting)]);
		await again.dispatcher.refresh();
		await runAlarm(again);
		expect(calls).toHaveLength(1);
	});

	test("a late 401 to old credentials does not pause an endpoint that has been repaired", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 2 } });
		let answering = 0;
		const calls: Call[] = model(async () => {
			const number = calls.length;
			await until(() => answering >= number);
			return number <= 2 ? new Response(null, { status: 401 }) : ok();
		});
		const items = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue(items);
		await vi.waitFor(() => expect(calls).toHaveLength(2));
		answering = 1;
		await vi.waitFor(async () => {
			expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ status: "paused" });
		});
		await env.DB.prepare(
			"UPDATE endpoints SET status = 'active', status_reason = NULL, revision = revision + 1 WHERE id = ?",
		)
			.bind(setting.endpoint.id)
			.run();
		await setting.dispatcher.refresh();
		await vi.waitFor(() => expect(calls.length).toBeGreaterThan(2));
		answering = 9;
		for (const { id } of items) await whenStatus(setting, id, "succeeded");
		expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ status: "active" });
	});

	test("a key in a header of the endpoint is masked where the server echoes it", async () => {
		const setting = await createSetting({ endpoint: { headers: { "x-api-key": "hunter2-secret" } } });
		model(
			() =>
				new Response("bad key hunter2-secret", { status: 500, headers: { "content-type": "text/plain" } }),
		);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const delivery = await whenTried(setting, item.id);
		expect(delivery.attempts[0]?.excerpt).toBe("bad key ***");
	});
});

describe("settings", () => {
	test("that are known serve while D1 fails", async () => {
		const setting = await createSetting();
		model(ok);
		const [first, second] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([first]);
		await whenStatus(setting, first.id, "succeeded");
		const database = vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: overloaded"));
		await setting.dispatcher.refresh();
		await setting.dispatcher.enqueue([second]);
		await whenStatus(setting, second.id, "succeeded");
		expect(database).toHaveBeenCalled();
	});
});

describe("large payloads", () => {
	test("a large event and a large response both survive a result event that has to wait", async () => {
		const result = { type: "never.published.either", transform: null, maxHops: 8, allowCycles: false };
		const setting = await createSetting({ subscription: { result } });
		const answer = JSON.stringify({ text: "x".repeat(1_000_000) });
		model(() => new Response(answer, { headers: { "content-type": "application/json" } }));
		const send = vi.spyOn(env.EVENTS, "send").mockRejectedValueOnce(new Error("down"));
		send.mockResolvedValue({} as Awaited<ReturnType<typeof env.EVENTS.send>>);
		const item = incoming(setting);
		item.event.data = { kind: "json", text: JSON.stringify("é".repeat(500_000)) };
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "publishing");
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			const { longest } = storage.sql
				.exec<{ longest: number }>(
					"SELECT max(length(event) + length(result) + length(result_event)) AS longest FROM deliveries",
				)
				.one();
			expect(longest).toBeLessThan(2_000_000);
		});
		await runInDurableObject(setting.dispatcher, (_, state) => state.abort("lost")).catch(() => {});
		const again = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		await again.dispatcher.retry(item.id);
		const delivery = await whenStatus(again, item.id, "succeeded");
		expect(delivery.result?.data).toEqual({ kind: "json", text: answer });
		await runInDurableObject(again.dispatcher, (_, { storage }) => {
			expect(storage.sql.exec("SELECT DISTINCT name FROM large_texts").toArray()).toEqual([
				{ name: "result" },
			]);
		});
	});

	test.each([149_000, 249_000])(
		"an event, an answer and its result event of %i letters of three bytes fit into a row",
		async (length) => {
			const result = { type: "never.published.either", transform: null, maxHops: 8, allowCycles: false };
			const setting = await createSetting({ subscription: { result } });
			const text = JSON.stringify("文".repeat(length));
			model(() => new Response(text, { headers: { "content-type": "application/json" } }));
			vi.spyOn(env.EVENTS, "send").mockRejectedValue(new Error("down"));
			const item = incoming(setting);
			item.event.data = { kind: "json", text };
			await setting.dispatcher.enqueue([item]);
			await whenStatus(setting, item.id, "publishing");
			await runInDurableObject(setting.dispatcher, (_, { storage }) => {
				const { bytes } = storage.sql
					.exec<{ bytes: number }>(
						"SELECT octet_length(event) + octet_length(result) + octet_length(result_event) AS bytes FROM deliveries",
					)
					.one();
				expect(bytes).toBeLessThan(1_500_000);
			});
		},
	);

	test("a result event that no queue accepts ends dead, with the response kept", async () => {
		const transform = '{"x": $pad("", 1100000, "y")}';
		const result = { type: "never.published.either", transform, maxHops: 8, allowCycles: false };
		const setting = await createSetting({ subscription: { result } });
		const calls = model(ok);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const delivery = await whenStatus(setting, item.id, "dead");
		expect(delivery).toMatchObject({ reason: "too_large", detail: expect.stringContaining("result event") });
		expect(delivery.result?.data).toEqual({ kind: "json", text: '{"text":"read"}' });
		expect(calls).toHaveLength(1);
	});
});

describe("retention", () => {
	test("forgets finished deliveries, but nothing that is owed", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		const longAgo = Date.now() - 40 * 86_400_000;
		vi.setSystemTime(longAgo);
		let authorized = true;
		model(() => (authorized ? ok() : new Response(null, { status: 401 })));
		const finished = incoming(setting);
		await setting.dispatcher.enqueue([finished]);
		await whenStatus(setting, finished.id, "succeeded");
		authorized = false;
		const owed = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue(owed);
		await whenTried(setting, owed[0]?.id ?? "");
		vi.useRealTimers();
		await runAlarm(setting);
		expect(await setting.dispatcher.get(finished.id)).toBeNull();
		for (const { id } of owed) expect(await setting.dispatcher.get(id)).toMatchObject({ status: "pending" });
	});
});

describe("a person", () => {
	test("sends a dead delivery again, but never one that succeeded", async () => {
		const setting = await createSetting();
		let fixed = false;
		model(() => (fixed ? ok() : new Response("no such field", { status: 422 })));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "dead");
		fixed = true;
		expect(await setting.dispatcher.retry(item.id)).toMatchObject({ ok: true });
		const delivery = await whenStatus(setting, item.id, "succeeded");
		expect(delivery.attempts.map(({ number }) => number)).toEqual([1, 2]);
		expect(await setting.dispatcher.retry(item.id)).toEqual({ ok: false, code: "already_succeeded" });
	});

	test("after a response that was never published, sends the event again and not the request", async () => {
		const result = { type: "never.published.either", transform: null, maxHops: 8, allowCycles: false };
		const setting = await createSetting({ subscription: { result } });
		const calls = model(ok);
		const send = vi.spyOn(env.EVENTS, "send").mockRejectedValueOnce(new Error("down"));
		send.mockResolvedValue({} as Awaited<ReturnType<typeof env.EVENTS.send>>);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "publishing");
		await setting.dispatcher.cancel(item.id);
		await setting.dispatcher.retry(item.id);
		expect(await whenStatus(setting, item.id, "succeeded")).toMatchObject({
			resultEventId: expect.stringMatching(/^evt_/),
		});
		expect(calls).toHaveLength(1);
	});

	test("sends a delivery again whose result event was refused for good", async () => {
		const transform = '{"x": $pad("", 1100000, "y")}';
		const result = { type: "never.published.either", transform, maxHops: 8, allowCycles: false };
		const setting = await createSetting({ subscription: { result } });
		const calls = model(ok);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "dead");
		await setting.dispatcher.retry(item.id);
		await vi.waitFor(() => expect(calls).toHaveLength(2));
		await whenStatus(setting, item.id, "dead");
	});

	test("cancels a delivery that has not been tried, and it is not sent", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const calls = model(ok);
		const [first, second] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([first, second]);
		expect(await setting.dispatcher.cancel(first.id)).toMatchObject({
			ok: true,
			delivery: { status: "canceled" },
		});
		expect(await setting.dispatcher.cancel(first.id)).toEqual({ ok: false, code: "already_finished" });
		await env.DB.prepare("UPDATE endpoints SET status = 'active' WHERE id = ?")
			.bind(setting.endpoint.id)
			.run();
		await setting.dispatcher.refresh();
		await whenStatus(setting, second.id, "succeeded");
		expect(calls.map((call) => call.deliveryId)).toEqual([second.id]);
	});
});

test("when room is short, finished deliveries are deleted early, and owed ones stay", async () => {
	const setting = await createSetting();
	let calls = 0;
	model(() => (++calls === 1 ? ok() : new Response(null, { status: 500 })));
	const [done, owed] = [incoming(setting), incoming(setting)];
	await setting.dispatcher.enqueue([done]);
	await whenStatus(setting, done.id, "succeeded");
	await setting.dispatcher.enqueue([owed]);
	await whenTried(setting, owed.id);
	await runAlarm(setting);
	const ids = async () => (await setting.dispatcher.list({ limit: 10 })).items.map(({ id }) => id);
	expect(await ids()).toEqual([owed.id, done.id]);
	await runInDurableObject(setting.dispatcher, (_, { storage }) => {
		Object.defineProperty(storage.sql, "databaseSize", { configurable: true, value: 9_000_000_000 });
	});
	vi.setSystemTime(Date.now() + 120_000);
	await runAlarm(setting);
	expect(await ids()).toEqual([owed.id]);
	vi.useRealTimers();
});
