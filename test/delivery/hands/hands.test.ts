/** Hands at work: how many exchanges are under way, and what becomes of them when an object is lost in the middle. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, type MockInstance, test, vi } from "vitest";
import type { Outcome } from "../../../src/delivery/hands/job.ts";
import { dispatcher, hand } from "../../../src/objects/clients.ts";
import { findEndpoint, updateEndpoint } from "../../../src/store/resources/endpoints.ts";
import { PATIENCE_MS } from "../../patience.ts";
import {
	type Call,
	createSetting,
	incoming,
	model,
	runAlarm,
	type Setting,
	until,
	whenStatus,
} from "../dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

/** A model whose responses wait until the test lets them go. */
function slowModel(): { calls: Call[]; underWay: () => number; open: () => void } {
	let underWay = 0;
	const door = { isOpen: false };
	const calls = model(async () => {
		underWay += 1;
		await until(() => door.isOpen);
		underWay -= 1;
		return Response.json({ ok: true });
	});
	return { calls, underWay: () => underWay, open: () => (door.isOpen = true) };
}

async function enqueue(setting: Setting, count: number): Promise<string[]> {
	const items = Array.from({ length: count }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	return items.map(({ id }) => id);
}

/** Ends the object as a crash would; the stub of before is of no use any more. */
async function kill(stub: DurableObjectStub<Rpc.DurableObjectBranded>): Promise<void> {
	await runInDurableObject(stub, (_, state) => state.abort("lost")).catch(() => {});
}

/** Watches a method of all objects of a class: a call from another object finds it on the prototype. */
async function spyOnObject(
	stub: DurableObjectStub<Rpc.DurableObjectBranded>,
	method: string,
): Promise<MockInstance<(...parameters: unknown[]) => unknown>> {
	return runInDurableObject(stub, (instance) => {
		const prototype = Object.getPrototypeOf(instance) as Record<
			string,
			(...parameters: unknown[]) => unknown
		>;
		return vi.spyOn(prototype, method);
	});
}

function handOf({ endpoint }: Setting, number: number): ReturnType<typeof hand> {
	return hand(env, { endpointId: endpoint.id, number });
}

function again(setting: Setting): Setting {
	return { ...setting, dispatcher: dispatcher(env, setting.endpoint.id) };
}

test("of 200 deliveries with 40 allowed, 40 are under way at once and never 41, each sent once", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 40 } });
	let [underWay, most] = [0, 0];
	const calls = model(async () => {
		underWay += 1;
		most = Math.max(most, underWay);
		// The first wait for one another, so that as many come together as are let through.
		await until(() => most >= 40);
		await new Promise((resolve) => setTimeout(resolve, 20));
		underWay -= 1;
		return Response.json({});
	});
	const ids = await enqueue(setting, 200);
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	expect(most).toBe(40);
	expect(calls.map(({ deliveryId }) => deliveryId).sort()).toEqual([...ids].sort());
});

test("a busy endpoint costs at most one call between objects for each delivery that a hand carries", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 40 } });
	model(async () => {
		await new Promise((resolve) => setTimeout(resolve, 20));
		return Response.json({});
	});
	const taken = await spyOnObject(handOf(setting, 1), "take");
	const settled = await spyOnObject(setting.dispatcher, "settle");
	const ids = await enqueue(setting, 300);
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	expect(settled.mock.calls.length).toBeGreaterThan(0);
	expect(settled.mock.calls.length + taken.mock.calls.length).toBeLessThanOrEqual(300);
});

test("no hand is used while five are allowed", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 5 } });
	const hands = vi.spyOn(env.HAND, "get");
	model(() => Response.json({}));
	for (const id of await enqueue(setting, 20)) await whenStatus(setting, id, "succeeded");
	expect(hands).not.toHaveBeenCalled();
});

test("a hand that is killed loses nothing, and only its own exchanges are repeated", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 11 } });
	const slow = slowModel();
	const ids = await enqueue(setting, 11);
	await until(() => slow.underWay() === 11);
	const had = await handOf(setting, 1).callRoll({ endpointId: setting.endpoint.id, number: 1 });
	expect(had.held).toHaveLength(6);
	await kill(handOf(setting, 1));
	// Silent for long: the next alarm asks it, and hears of another life.
	vi.spyOn(Date, "now").mockReturnValue(Date.now() + 20_000);
	await runAlarm(setting);
	vi.restoreAllMocks();
	slow.open();
	const counts = model(() => Response.json({ ok: true }));
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	const doubled = counts.map(({ deliveryId }) => deliveryId);
	expect(doubled.every((id) => had.held.some(({ deliveryId }) => deliveryId === id))).toBe(true);
});

test("a hand that was replaced while it had nothing carries its next jobs once, and the limit holds", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 11 } });
	model(() => Response.json({ ok: true }));
	for (const id of await enqueue(setting, 22)) await whenStatus(setting, id, "succeeded");
	await evictDurableObject(handOf(setting, 1));
	vi.restoreAllMocks();
	const slow = slowModel();
	let most = 0;
	const ids = await enqueue(setting, 22);
	await until(() => slow.underWay() >= 11);
	// Whoever is asked again answers within this.
	for (let polls = 0; polls < 40; polls++) {
		most = Math.max(most, slow.underWay());
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	slow.open();
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	expect(most).toBe(11);
	expect(slow.calls.map(({ deliveryId }) => deliveryId).sort()).toEqual([...ids].sort());
});

test("a dispatcher that is lost in the middle sends nothing a second time that its hands still carry", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 17 } });
	const slow = slowModel();
	const ids = await enqueue(setting, 30);
	await until(() => slow.underWay() === 17);
	const atHands: string[] = [];
	for (const number of [1, 2]) {
		const { held } = await handOf(setting, number).callRoll({ endpointId: setting.endpoint.id, number });
		atHands.push(...held.map(({ deliveryId }) => deliveryId));
	}
	expect(atHands).toHaveLength(12);
	await kill(setting.dispatcher);
	const woken = again(setting);
	await runAlarm(woken);
	// The five of its own are sent again; those of the hands count as under way.
	await until(() => slow.calls.length === 17 + 5);
	for (const id of atHands) expect((await woken.dispatcher.get(id))?.status).toBe("in_flight");
	slow.open();
	for (const id of ids) await whenStatus(woken, id, "succeeded");
	for (const id of atHands) {
		expect(slow.calls.filter(({ deliveryId }) => deliveryId === id)).toHaveLength(1);
		expect((await woken.dispatcher.get(id))?.attempts).toHaveLength(1);
	}
});

test("settling twice, or an unknown delivery, changes nothing", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 6 } });
	const settled = await spyOnObject(setting.dispatcher, "settle");
	const calls = model(() => Response.json({ ok: true }));
	const ids = await enqueue(setting, 12);
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	const [number, incarnation, outcomes] = settled.mock.calls[0] as [number, string, Outcome[]];
	const [outcome] = outcomes;
	if (outcome === undefined) throw new Error("no hand was used");
	expect(await setting.dispatcher.settle(number, incarnation, outcomes)).toEqual([]);
	const unknown = { ...outcome, held: { ...outcome.held, deliveryId: "dlv_nobody", token: "other" } };
	expect(await setting.dispatcher.settle(number, incarnation, [unknown])).toEqual([]);
	for (const id of ids) expect((await setting.dispatcher.get(id))?.attempts).toHaveLength(1);
	expect(calls).toHaveLength(12);
});

test("a success that comes late counts, and the exchange that took its place is only recorded", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 6 } });
	const slow = slowModel();
	const ids = await enqueue(setting, 6);
	await until(() => slow.underWay() === 6);
	const name = { endpointId: setting.endpoint.id, number: 1 };
	const { held, incarnation } = await handOf(setting, 1).callRoll(name);
	const [carried] = held;
	if (carried === undefined) throw new Error("no hand was used");
	// Taken for lost, because it takes longer than it may: the delivery is sent again.
	const clock = Date.now.bind(Date);
	vi.spyOn(Date, "now").mockImplementation(() => clock() + 61_000);
	await runAlarm(setting);
	await until(() => slow.calls.length === 7);
	const result = {
		kind: "response",
		status: 200,
		headers: { "content-type": "application/json" },
		body: new Uint8Array(Buffer.from('{"first":true}')),
		failure: null,
		durationMs: 5,
	} as const;
	await setting.dispatcher.settle(1, incarnation, [{ held: carried, result }]);
	const isWritten = async (): Promise<boolean> =>
		runInDurableObject(
			setting.dispatcher,
			(_, { storage }) =>
				storage.sql
					.exec("SELECT 1 FROM deliveries WHERE id = ? AND status = 'succeeded'", carried.deliveryId)
					.toArray().length === 1,
		);
	await vi.waitFor(async () => expect(await isWritten()).toBe(true), { timeout: PATIENCE_MS, interval: 10 });
	slow.open();
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	// The delivery is shown as it has ended, before the exchange that took its place ends too.
	await vi.waitFor(
		async () => expect((await setting.dispatcher.get(carried.deliveryId))?.attempts).toHaveLength(2),
		{ timeout: PATIENCE_MS, interval: 10 },
	);
	const delivery = await setting.dispatcher.get(carried.deliveryId);
	expect(delivery?.result?.data).toEqual({ kind: "json", text: '{"first":true}' });
});

test("a hand that has been ended while it was idle has not lost the jobs that wake it", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 8 } });
	const name = { endpointId: setting.endpoint.id, number: 1 };
	model(() => Response.json({ ok: true }));
	for (const id of await enqueue(setting, 8)) await whenStatus(setting, id, "succeeded");
	// Once it is idle, no job can be on its way to it.
	const isIdle = async (): Promise<boolean> => (await handOf(setting, 1).callRoll(name)).held.length === 0;
	await vi.waitFor(async () => expect(await isIdle()).toBe(true), { timeout: PATIENCE_MS, interval: 10 });
	await kill(handOf(setting, 1));
	await handOf(setting, 1).callRoll(name);
	const slow = slowModel();
	const ids = await enqueue(setting, 8);
	await until(() => slow.underWay() === 8);
	// One more call to the hand and back: that of the jobs has returned by then.
	expect((await handOf(setting, 1).callRoll(name)).held).toHaveLength(3);
	await runAlarm(setting);
	slow.open();
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	expect(slow.calls.map(({ deliveryId }) => deliveryId).sort()).toEqual([...ids].sort());
	for (const id of ids) expect((await setting.dispatcher.get(id))?.attempts).toHaveLength(1);
});

/** Six deliveries under way, and the one of them that the hand carries. */
async function sixUnderWay(
	setting: Setting,
	underWay: () => number,
): Promise<{ ids: string[]; atHand: string }> {
	const ids = await enqueue(setting, 6);
	await until(() => underWay() === 6);
	const { held } = await handOf(setting, 1).callRoll({ endpointId: setting.endpoint.id, number: 1 });
	const [carried] = held;
	if (carried === undefined) throw new Error("no hand was used");
	return { ids, atHand: carried.deliveryId };
}

test("an exchange that is taken over while D1 fails keeps its slot, and its end counts", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 6 } });
	const slow = slowModel();
	const { ids, atHand } = await sixUnderWay(setting, slow.underWay);
	// Targets another endpoint by now, so that it has to be looked up by itself.
	await env.DB.prepare("UPDATE subscriptions SET endpoint_id = 'ep_other' WHERE id = ?")
		.bind(setting.subscription.id)
		.run();
	await kill(setting.dispatcher);
	const woken = again(setting);
	const prepare = env.DB.prepare.bind(env.DB);
	let failures = 0;
	const database = vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
		if (!query.includes("FROM subscriptions WHERE id")) return prepare(query);
		failures += 1;
		throw new Error("D1_ERROR: overloaded");
	});
	await runAlarm(woken);
	await until(() => failures >= 5);
	database.mockRestore();
	slow.open();
	for (const id of ids) await whenStatus(woken, id, "succeeded");
	expect(slow.calls.filter(({ deliveryId }) => deliveryId === atHand)).toHaveLength(1);
});

test("hands are asked again after a roll that could not be taken over", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 12 } });
	const slow = slowModel();
	const ids = await enqueue(setting, 12);
	await until(() => slow.underWay() === 12);
	await kill(setting.dispatcher);
	const woken = again(setting);
	const roll = await spyOnObject(handOf(setting, 1), "callRoll");
	roll.mockImplementationOnce(() => ({ incarnation: "a form of its own" }));
	roll.mockImplementationOnce(() => {
		throw new Error("overloaded");
	});
	await runAlarm(woken);
	await until(() => roll.mock.calls.length >= 2);
	await runAlarm(woken);
	await until(() => slow.calls.length === 12 + 5);
	slow.open();
	for (const id of ids) await whenStatus(woken, id, "succeeded");
	expect(slow.calls).toHaveLength(12 + 5);
});

test("a hand that does not respond to a roll call keeps its slots until its exchanges must have ended, and no longer", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 6 } });
	const slow = slowModel();
	const { ids, atHand } = await sixUnderWay(setting, slow.underWay);
	const roll = await spyOnObject(handOf(setting, 1), "callRoll");
	let isOver = false;
	roll.mockImplementation(() => until(() => isOver));
	const clock = Date.now.bind(Date);
	vi.spyOn(Date, "now").mockImplementation(() => clock() + 61_000);
	await runAlarm(setting);
	await until(() => slow.calls.length === 7);
	expect(slow.calls.map(({ deliveryId }) => deliveryId).filter((id) => id === atHand)).toHaveLength(2);
	isOver = true;
	slow.open();
	for (const id of ids) await whenStatus(setting, id, "succeeded");
});

test("a response to a request from before a repair stops nothing, even after an eviction in between", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 6 } });
	let isOpen = false;
	let refused = "";
	const calls = model(async ({ deliveryId }) => {
		const isFirst = calls.length <= 6;
		await until(() => isOpen);
		return isFirst && deliveryId === refused ? new Response(null, { status: 401 }) : Response.json({});
	});
	const { ids, atHand } = await sixUnderWay(setting, () => calls.length);
	refused = atHand;
	await kill(setting.dispatcher);
	await updateEndpoint(env, setting.endpoint, { auth: { type: "bearer", token: "the new one" } });
	const woken = again(setting);
	await woken.dispatcher.refresh({ repaired: true });
	await until(() => calls.length === 6 + 5);
	isOpen = true;
	for (const id of ids) await whenStatus(woken, id, "succeeded");
	expect(calls.filter(({ deliveryId }) => deliveryId === atHand)).toHaveLength(2);
	expect((await findEndpoint(env, setting.endpoint.id))?.status).toBe("active");
});

test("the end of an exchange is taken however long D1 has been failing", async () => {
	const setting = await createSetting({ endpoint: { maxConcurrency: 6 } });
	const slow = slowModel();
	const { ids } = await sixUnderWay(setting, slow.underWay);
	vi.spyOn(env.DB, "batch").mockRejectedValue(new Error("D1_ERROR: overloaded"));
	const clock = Date.now.bind(Date);
	vi.spyOn(Date, "now").mockImplementation(() => clock() + 660_000);
	slow.open();
	for (const id of ids) await whenStatus(setting, id, "succeeded");
	expect(slow.calls).toHaveLength(6);
});
