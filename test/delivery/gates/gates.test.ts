/** The gates at work: a dispatcher and a model, and who waits for what. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { dispatcher } from "../../../src/objects/clients.ts";
import { Gatekeeper } from "../../../src/delivery/gatekeeper.ts";
import { protocols } from "../../../src/models/registry.ts";
import {
	type Call,
	createSetting,
	incoming,
	model,
	runAlarm,
	type Setting,
	whenStatus,
	whenTried,
} from "../dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const ok = () => Response.json({});
const busy = (headers: Record<string, string> = {}) => new Response("busy", { status: 503, headers });

/** What a refused connection looks like from inside. */
function refuse(): never {
	throw new Error("Network connection lost.");
}

function get({ dispatcher }: Setting, id: string) {
	return dispatcher.get(id);
}

describe("busy", () => {
	test("one input that is always refused does not block others", async () => {
		const setting = await createSetting();
		const poison = incoming(setting);
		model(({ deliveryId }) => (deliveryId === poison.id ? busy() : ok()));
		await setting.dispatcher.enqueue([poison]);
		await whenTried(setting, poison.id);
		const others = Array.from({ length: 20 }, () => incoming(setting));
		await setting.dispatcher.enqueue(others);
		for (const { id } of others) await whenStatus(setting, id, "succeeded");
		expect(await get(setting, poison.id)).toMatchObject({ status: "pending", blockedBy: null });
	});

	test("with Retry-After holds the whole endpoint, and every delivery says until when", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 1 } });
		const calls = model(() => busy({ "retry-after": "600" }));
		const [first, second] = [incoming(setting), incoming(setting)];
		await setting.dispatcher.enqueue([first]);
		await whenTried(setting, first.id);
		await setting.dispatcher.enqueue([second]);
		await runAlarm(setting);
		// On a slow machine a delivery of an earlier test may be among them.
		expect(calls.map(({ deliveryId }) => deliveryId)).not.toContain(second.id);
		const waiting = await get(setting, second.id);
		expect(waiting).toMatchObject({ status: "pending", blockedBy: "hold" });
		expect(waiting?.blockedUntil).toBeGreaterThan(Date.now() + 500_000);
		expect(waiting?.nextAttemptAt).toBe(waiting?.blockedUntil);
		expect(await setting.dispatcher.blocked()).toMatchObject({ blockedBy: "hold" });
	});

	test("of a server that admits two: the limit becomes two, and few requests are wasted", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 6 } });
		let underWay = 0;
		let refused = 0;
		model(async () => {
			if (underWay >= 2) {
				refused += 1;
				return busy();
			}
			underWay += 1;
			await new Promise((resolve) => setTimeout(resolve, 5));
			underWay -= 1;
			return ok();
		});
		const items = Array.from({ length: 120 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		await vi.waitFor(async () => {
			const { items: done } = await setting.dispatcher.list({ status: "succeeded", limit: 200 });
			expect(done.length).toBeGreaterThan(100);
		});
		// The burst of the beginning, and a few tries upwards.
		expect(refused).toBeLessThan(12);
	});
});

describe("a refused connection while nothing succeeds", () => {
	test("spends nothing, and one request at a time finds out when the model is there", async () => {
		const setting = await createSetting();
		let isUp = false;
		const calls = model(() => (isUp ? ok() : refuse()));
		const items = Array.from({ length: 8 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		await vi.waitFor(() => expect(calls.length).toBeGreaterThan(0));
		expect(await setting.dispatcher.blocked()).toMatchObject({ blockedBy: "cold_start" });
		expect(await get(setting, items[7]?.id ?? "")).toMatchObject({ blockedBy: "cold_start" });
		isUp = true;
		for (const { id } of items) {
			const done = await whenStatus(setting, id, "succeeded");
			for (const attempt of done.attempts.slice(0, -1)) expect(attempt.outcome).toBe("busy");
		}
	});

	test("of one delivery alone, while another succeeds, costs it an attempt after all", async () => {
		const setting = await createSetting();
		const bad = incoming(setting);
		model(({ deliveryId }) => (deliveryId === bad.id ? refuse() : ok()));
		await setting.dispatcher.enqueue([bad]);
		await whenTried(setting, bad.id);
		const other = incoming(setting);
		await setting.dispatcher.enqueue([other]);
		await whenStatus(setting, other.id, "succeeded");
		await vi.waitFor(async () => {
			const { nextAttemptAt } = (await get(setting, bad.id)) ?? {};
			// The first step of the schedule: sixty seconds, a fifth more or less.
			expect(nextAttemptAt).toBeGreaterThan(Date.now() + 30_000);
		});
	});

	test("among successes is an error of the request", async () => {
		const setting = await createSetting({ endpoint: { maxConcurrency: 2 } });
		const bad = incoming(setting);
		let others = 0;
		model(async ({ deliveryId }: Call) => {
			if (deliveryId !== bad.id) {
				others += 1;
				return ok();
			}
			await vi.waitFor(() => expect(others).toBeGreaterThan(2));
			return refuse();
		});
		await setting.dispatcher.enqueue([bad, ...Array.from({ length: 5 }, () => incoming(setting))]);
		expect(await whenTried(setting, bad.id)).toMatchObject({ attempts: [{ outcome: "error" }] });
	});
});

describe("the state of the gates", () => {
	test("outlasts an eviction, and ends with a reported repair", async () => {
		const setting = await createSetting();
		const calls = model(() => (calls.length === 1 ? busy({ "retry-after": "86400" }) : ok()));
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		await evictDurableObject(setting.dispatcher);
		const again = { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
		expect(await again.dispatcher.blocked()).toMatchObject({ blockedBy: "hold" });
		await again.dispatcher.refresh({ repaired: true });
		await whenStatus(again, item.id, "succeeded");
	});

	test("takes over the hold that release 0.1 stored, and what a newer one stored in another form counts for nothing", async () => {
		const setting = await createSetting();
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			const moment = {
				now: 1_000,
				random: 0.5,
				inFlight: 0,
				jobs: 0,
				bytesInFlight: 0,
				maxConcurrency: 5,
				isActive: true,
				isRecovering: false,
			};
			storage.kv.put("hold_until", 5_000);
			expect(new Gatekeeper(storage).admit(moment)).toEqual({ slots: 0, blockedBy: "hold", until: 5_000 });
			storage.kv.delete("hold_until");
			storage.kv.put("gates", { hold: { something: "else" }, tides: {} });
			expect(new Gatekeeper(storage).admit(moment)).toMatchObject({ slots: 5, blockedBy: null });
		});
	});

	test("is no row while nothing is refused", async () => {
		const setting = await createSetting();
		model(ok);
		const items = Array.from({ length: 30 }, () => incoming(setting));
		await setting.dispatcher.enqueue(items);
		for (const { id } of items) await whenStatus(setting, id, "succeeded");
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			expect(storage.kv.get("gates")).toBeUndefined();
		});
	});
});

describe("a bug of ours", () => {
	test("behind the response is an attempt like any other: recorded, spent, and not repeated every few seconds", async () => {
		const setting = await createSetting({
			subscription: { result: { type: null, transform: null, maxHops: 8, allowCycles: false } },
		});
		const calls = model(ok);
		const { http } = protocols;
		if (http === undefined) throw new Error("the protocol is there");
		vi.spyOn(http, "read").mockImplementation(() => {
			throw new Error("a bug");
		});
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const tried = await whenTried(setting, item.id);
		expect(tried.attempts).toMatchObject([{ number: 1, statusCode: 200, outcome: "error" }]);
		expect(tried.attempts[0]?.error).toMatch(/^internal: .*a bug/);
		expect(tried.nextAttemptAt).toBeGreaterThan(Date.now() + 30_000);
		expect(calls).toHaveLength(1);
	});

	test("before the request is bounded by the schedule, too", async () => {
		const setting = await createSetting({ endpoint: { protocol: "telepathy" } });
		const calls = model(ok);
		const item = incoming(setting);
		await setting.dispatcher.enqueue([item]);
		const tried = await whenTried(setting, item.id);
		expect(tried.attempts).toMatchObject([{ outcome: "error", statusCode: null }]);
		expect(tried.nextAttemptAt).toBeGreaterThan(Date.now() + 30_000);
		expect(calls).toEqual([]);
	});
});
