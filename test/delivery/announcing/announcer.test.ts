import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { app } from "../../../src/app.ts";
import { STATUS_HEADER } from "../../../src/callbacks/receive.ts";
import type { SluiceEvent } from "../../../src/events/event.ts";
import { lineageAfter, lineageAttributes } from "../../../src/events/lineage.ts";
import { decodeSegment } from "../../../src/events/queue/segment.ts";
import { buildOperationalEvent } from "../../../src/operations/event.ts";
import { keyChanged } from "../../../src/operations/occurrence.ts";
import { WINDOW_MS } from "../../../src/operations/windows.ts";
import { deleteSubscription, insertSubscription } from "../../../src/store/resources/subscriptions.ts";
import { Announcer } from "../../../src/delivery/announcing/announcer.ts";
import { type EndpointSettings, loadSettings } from "../../../src/store/views/settings.ts";
import { findEndpoint, updateEndpoint } from "../../../src/store/resources/endpoints.ts";
import { deliveryId, newId } from "../../../src/events/ids.ts";
import { aSubscription } from "../../store/records.ts";
import {
	createSetting,
	incoming,
	model,
	runAlarm,
	type Setting,
	setFull,
	until,
	whenStatus,
	whenTried,
} from "../dispatcher.fixtures.ts";
import { createJobSetting, deliver, ORIGIN } from "../jobs.fixtures.ts";

let listener: string | null = null;
let published: SluiceEvent[] = [];
let isQueueDown = false;
let sent: MockInstance<(typeof env.EVENTS)["send"]>;

/** Somebody asks for operational events. */
async function listen(): Promise<void> {
	const subscription = aSubscription({
		id: newId("sub"),
		name: newId("sub"),
		sourceId: "src_sluice",
		types: ["sluice.*"],
		target: { latestOf: "none" },
	});
	listener = subscription.id;
	await insertSubscription(env, subscription);
}

/** What was published of an endpoint: type, and the members of the data that are asked for. */
function told({ endpoint }: Setting, ...members: string[]): unknown[] {
	return published
		.map(({ attributes, data }) => ({
			type: attributes.type,
			subject: attributes.subject,
			data: JSON.parse(data?.kind === "json" ? data.text : "{}") as Record<string, unknown>,
		}))
		.filter(({ subject }) => subject === `${endpoint.name}@${endpoint.version}`)
		.map(({ type, data }) => [type, ...members.map((member) => data[member])]);
}

/** An operational event on its way to the endpoint. */
function operational(setting: Setting): ReturnType<typeof incoming> {
	const item = incoming(setting);
	const [decision] = item.decisions;
	const key = { id: newId("key"), name: "ci", role: null };
	const event = buildOperationalEvent(keyChanged("created", key, key), 0, Date.now());
	const { subscription, endpoint } = setting;
	const id = deliveryId({ eventId: event.id, subscriptionId: subscription.id, endpointId: endpoint.id });
	return { id, event, decisions: decision === undefined ? [] : [{ ...decision, deliveryId: id }] };
}

async function resume({ endpoint, dispatcher }: Setting): Promise<void> {
	const found = await vi.waitFor(async () => {
		const found = await findEndpoint(env, endpoint.id);
		if (found?.status !== "paused") throw new Error("it is not paused yet");
		return found;
	});
	await updateEndpoint(env, found, { status: "active", statusReason: null });
	await dispatcher.refresh({ repaired: true });
}

beforeEach(() => {
	published = [];
	isQueueDown = false;
	sent = vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
		if (isQueueDown) throw new Error("the queue is down");
		published.push(...decodeSegment(message).filter(({ sourceId }) => sourceId === "src_sluice"));
		return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
	});
});

afterEach(async () => {
	vi.restoreAllMocks();
	if (listener !== null) await deleteSubscription(env, listener);
	listener = null;
});

describe("an endpoint that refuses its credentials", () => {
	test("is reported as paused, and as recovered once it accepts a delivery again", async () => {
		await listen();
		const setting = await createSetting();
		let status = 401;
		model(() => Response.json({}, { status }));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await until(() => told(setting).length === 1);
		expect(told(setting, "endpoint_id", "reason")).toEqual([
			["sluice.endpoint.paused", setting.endpoint.id, "unauthorized"],
		]);
		status = 200;
		await resume(setting);
		await whenStatus(setting, item.id, "succeeded");
		await until(() => told(setting).length === 2);
		expect(told(setting, "was", "reason")[1]).toEqual([
			"sluice.endpoint.recovered",
			"paused",
			"unauthorized",
		]);
	});

	test("is reported once, also by an object that was evicted in between", async () => {
		await listen();
		const setting = await createSetting();
		model(() => Response.json({}, { status: 401 }));
		await setting.dispatcher.enqueue([incoming(setting)]);
		await until(() => told(setting).length === 1);
		await evictDurableObject(setting.dispatcher);
		await setting.dispatcher.enqueue([incoming(setting)]);
		await runAlarm(setting);
		expect(told(setting)).toHaveLength(1);
	});

	test("is reported at the next alarm if the queue refuses the event", async () => {
		await listen();
		const setting = await createSetting();
		model(() => Response.json({}, { status: 401 }));
		isQueueDown = true;
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		await until(() => sent.mock.calls.length > 0);
		isQueueDown = false;
		const later = Date.now() + 60_000;
		vi.spyOn(Date, "now").mockImplementation(() => later);
		await runAlarm(setting);
		await until(() => told(setting).length === 1);
		expect(told(setting)).toEqual([["sluice.endpoint.paused"]]);
	});

	test("is reported when the queue is back, however often it refused, and after an eviction", async () => {
		await listen();
		const setting = await createSetting();
		model(() => Response.json({}, { status: 401 }));
		isQueueDown = true;
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		await until(() => sent.mock.calls.length > 0);
		let later = Date.now();
		vi.spyOn(Date, "now").mockImplementation(() => later);
		for (const calls of [2, 3]) {
			later += 60_000;
			await runAlarm(setting);
			await until(() => sent.mock.calls.length >= calls);
		}
		await evictDurableObject(setting.dispatcher);
		isQueueDown = false;
		later += 60_000;
		await runAlarm(setting);
		await until(() => told(setting).length === 1);
		expect(told(setting, "reason")).toEqual([["sluice.endpoint.paused", "unauthorized"]]);
		later += 60_000;
		await runAlarm(setting);
		expect(told(setting)).toHaveLength(1);
	});

	test("is reported by an object that was lost before the queue responded", async () => {
		await listen();
		const setting = await createSetting();
		const settings = await loadSettings(env, setting.endpoint.id);
		if (typeof settings !== "object") throw new Error("it is there");
		const stopped = { ...settings, endpoint: { ...settings.endpoint, status: "paused" as const } };
		await runInDurableObject(setting.dispatcher, async (_, { storage }) => {
			sent.mockImplementationOnce(() => new Promise(() => {}));
			void new Announcer(storage, env).tell(stopped);
			await until(() => sent.mock.calls.length === 1);
			const next = new Announcer(storage, env);
			expect(next.isOwing).toBe(true);
			await next.tell(stopped);
			expect(told(setting)).toEqual([["sluice.endpoint.paused"]]);
			expect(next.isOwing).toBe(false);
			await new Announcer(storage, env).tell(stopped);
		});
		expect(told(setting)).toHaveLength(1);
	});

	test("is not reported without a subscription: nothing is sent and nothing kept", async () => {
		const setting = await createSetting();
		model(() => Response.json({}, { status: 401 }));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		await runAlarm(setting);
		expect(sent).not.toHaveBeenCalled();
		const kept = await runInDurableObject(setting.dispatcher, (_, { storage }) =>
			[...storage.kv.list()].map(([key]) => key),
		);
		expect(kept).not.toContain("announced");
	});

	test("is not reported if it refused an operational event", async () => {
		await listen();
		const setting = await createSetting();
		let status = 401;
		const calls = model(() => Response.json({}, { status }));
		const item = operational(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		status = 200;
		await resume(setting);
		await whenStatus(setting, item.id, "succeeded");
		await runAlarm(setting);
		expect(calls).toHaveLength(2);
		expect(told(setting)).toEqual([]);
	});
});

describe("deliveries that die", () => {
	test("are reported by endpoint and reason, once per window, with the first of them and a count in the next event", async () => {
		await listen();
		const setting = await createSetting();
		const now = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;
		const clock = vi.spyOn(Date, "now").mockImplementation(() => now);
		model(() => Response.json({}, { status: 422 }));
		const [first, second] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([first]);
		await whenStatus(setting, first.id, "dead");
		await setting.dispatcher.enqueue([second]);
		await whenStatus(setting, second.id, "dead");
		await until(() => told(setting).length > 0);
		expect(told(setting, "reason", "delivery_id", "suppressed")).toEqual([
			["sluice.delivery.dead", "rejected", first.id, 0],
		]);
		clock.mockImplementation(() => now + WINDOW_MS);
		const third = incoming(setting);
		await setting.dispatcher.enqueue([third]);
		await until(() => told(setting).length === 2);
		expect(told(setting, "delivery_id", "suppressed")[1]).toEqual(["sluice.delivery.dead", third.id, 1]);
	});

	test("are counted once when a callback has ended them before the response to their request", async () => {
		await listen();
		const completion = { mode: "callback", callbackOrigin: ORIGIN } as const;
		const setting = await createJobSetting({}, completion);
		const now = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;
		const clock = vi.spyOn(Date, "now").mockImplementation(() => now);
		let mayRespond = false;
		const calls = model(async () => {
			await until(() => mayRespond);
			return Response.json({}, { status: 202 });
		});
		const id = await deliver(setting);
		await until(() => calls.length > 0);
		const url = calls[0]?.headers.get("sluice-callback-url") ?? "";
		const ended = { method: "POST", headers: { [STATUS_HEADER]: "422" }, body: "no" };
		expect((await app.request(url, ended, env)).status).toBe(200);
		await until(() => told(setting).length > 0);
		mayRespond = true;
		await vi.waitFor(async () => {
			expect(await setting.dispatcher.get(id)).toMatchObject({ attempts: [{ statusCode: 202 }] });
		});
		clock.mockImplementation(() => now + WINDOW_MS);
		vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({}, { status: 422 }));
		const other = await deliver(setting);
		await until(() => told(setting).length === 2);
		expect(told(setting, "delivery_id", "suppressed")).toEqual([
			["sluice.delivery.dead", id, 0],
			["sluice.delivery.dead", other, 0],
		]);
	});

	test("are not reported if they carried an operational event or one that resulted from it", async () => {
		await listen();
		const setting = await createSetting();
		model(() => Response.json({}, { status: 422 }));
		const [own, result, other] = [operational(setting), incoming(setting), incoming(setting)];
		Object.assign(result.event.attributes, lineageAttributes(lineageAfter(own.event, "sub_1", null)));
		await setting.dispatcher.enqueue([own, result]);
		await whenStatus(setting, own.id, "dead");
		await whenStatus(setting, result.id, "dead");
		// Told in its place, were it told.
		await setting.dispatcher.enqueue([other]);
		await until(() => told(setting).length > 0);
		expect(told(setting, "delivery_id", "suppressed")).toEqual([["sluice.delivery.dead", other.id, 0]]);
	});
});

describe("a backlog without room", () => {
	test("is reported, unless only operational events arrived", async () => {
		await listen();
		const setting = await createSetting({ endpoint: { status: "paused", statusReason: "manual" } });
		// So that the settings are known.
		await setting.dispatcher.enqueue([incoming(setting)]);
		await until(() => told(setting).length === 1);
		await setFull(setting, true);
		await setting.dispatcher.enqueue([operational(setting)]);
		await setting.dispatcher.enqueue([incoming(setting)]);
		await until(() => told(setting).length === 2);
		expect(told(setting, "reason", "refused")).toEqual([
			["sluice.endpoint.paused", "manual", undefined],
			["sluice.endpoint.backlog_full", undefined, 1],
		]);
	});
});

describe("a backlog that fills", () => {
	test("is reported when it is high, and again after it was low in between, but not for operational events", async () => {
		await listen();
		const setting = await createSetting();
		const settings = await loadSettings(env, setting.endpoint.id);
		const start = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;
		await runInDurableObject(setting.dispatcher, async (_, { storage }) => {
			let announcer = new Announcer(storage, env);
			const clock = vi.spyOn(Date, "now");
			const come = async (window: number, owed: number, item = incoming(setting)) => {
				clock.mockImplementation(() => start + window * WINDOW_MS);
				announcer.came([item], 0, { owed, limit: 100 });
				await announcer.tell(settings);
			};
			await come(0, 79);
			await come(1, 90, operational(setting));
			expect(told(setting)).toEqual([]);
			await come(1, 80);
			await come(2, 95);
			// After an eviction.
			announcer = new Announcer(storage, env);
			await come(3, 90);
			await come(3, 75);
			await come(4, 85);
			expect(told(setting, "backlog", "limit")).toEqual([["sluice.endpoint.backlog_high", 80, 100]]);
			await come(5, 69);
			await come(6, 81);
			expect(told(setting, "backlog")[1]).toEqual(["sluice.endpoint.backlog_high", 81]);
			// Whoever subscribes while it is high is told.
			await announcer.tell({ ...(settings as EndpointSettings), isAnnouncing: false });
			await come(7, 82);
			expect(told(setting, "backlog")[2]).toEqual(["sluice.endpoint.backlog_high", 82]);
			clock.mockRestore();
		});
	});
});
