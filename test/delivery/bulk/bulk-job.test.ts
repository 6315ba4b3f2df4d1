/** A bulk job over many dispatchers, which are stood in for. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { type BulkAnswer, type BulkPart, NO_COUNTS } from "../../../src/delivery/bulk/order.ts";
import type { BulkRequest } from "../../../src/delivery/bulk/rpc.ts";
import { newId } from "../../../src/events/ids.ts";
import { bulkJob } from "../../../src/objects/clients.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

interface StandIn {
	/** What each call to begin or to ask returns. */
	bulk: (endpointId: string, isBegun: boolean) => BulkAnswer;
	calls: string[];
	stop: () => BulkPart | null;
	stopped: string[];
}

/** A job whose dispatchers are stood in for, and what it is asked to do. */
async function aJob(endpoints: number, bulk: StandIn["bulk"]) {
	const id = newId("bulk");
	const stub = bulkJob(env, id);
	const standIn: StandIn = { bulk, calls: [], stop: () => canceled, stopped: [] };
	const request: BulkRequest = {
		order: { id, action: "retry", dryRun: false, filters: { status: "dead" } },
		endpointIds: Array.from({ length: endpoints }, (_, number) => `ep_${String(number).padStart(10, "0")}`),
		endpointNames: null,
		startedBy: "root",
		asked: '{"status":"dead"}',
	};
	const putIn = () =>
		runInDurableObject(stub, (instance) => {
			const DISPATCHER = {
				idFromName: (name: string) => name,
				get: (name: string) => ({
					bulk: async (_: unknown, isBegun: boolean) => {
						standIn.calls.push(name);
						return standIn.bulk(name, isBegun);
					},
					stopBulk: async () => {
						standIn.stopped.push(name);
						return standIn.stop();
					},
				}),
			};
			Object.assign(instance, { env: { ...env, DISPATCHER } });
		});
	await putIn();
	return { id, stub, standIn, request, putIn };
}

const canceled: BulkPart = { status: "canceled", ...NO_COUNTS, done: 1 };
const done: BulkPart = { status: "done", matched: 2, done: 1, skipped: 1, failed: 0 };
const running: BulkPart = { status: "running", ...NO_COUNTS, matched: 1 };

test("fifty dispatchers are at work at once, and others follow when they have done", async () => {
	const { stub, standIn, request } = await aJob(120, () => running);
	expect(await stub.begin(request)).toMatchObject({ status: "running", endpointCount: 50 });
	expect(new Set(standIn.calls).size).toBe(50);
	standIn.bulk = () => done;
	await vi.waitFor(async () => {
		await runDurableObjectAlarm(stub);
		expect(await stub.read()).toMatchObject({ status: "done" });
	});
	expect(await stub.read()).toMatchObject({ endpointCount: 120, matched: 240, done: 120, skipped: 120 });
	expect(new Set(standIn.calls).size).toBe(120);
});

test("a job that is started twice runs once, and continues after an eviction", async () => {
	const { stub, standIn, request, putIn } = await aJob(3, () => running);
	await stub.begin(request);
	await evictDurableObject(stub);
	await putIn();
	standIn.bulk = () => done;
	expect(await stub.begin(request)).toMatchObject({ status: "done", matched: 6, endpointCount: 3 });
	const calls = standIn.calls.length;
	expect(await stub.begin(request)).toMatchObject({ status: "done", matched: 6 });
	expect(standIn.calls).toHaveLength(calls);
});

test("a canceled job stops the dispatchers at work, and starts no others", async () => {
	const { stub, standIn, request } = await aJob(60, (id) => (id.endsWith("0") ? done : running));
	await stub.begin(request);
	const record = await stub.cancel();
	expect(record).toMatchObject({ status: "canceled" });
	expect(standIn.stopped.length).toBeGreaterThanOrEqual(45);
	const begun = new Set(standIn.calls).size;
	await runDurableObjectAlarm(stub);
	expect(await stub.read()).toMatchObject({ status: "canceled" });
	expect(new Set(standIn.calls).size).toBe(begun);
	expect((await stub.read())?.endpoints.every(({ status }) => status !== "running")).toBe(true);
});

/** Asks for the job after `ms`, as its alarm would. */
async function readAfter(ms: number, stub: Awaited<ReturnType<typeof aJob>>["stub"]) {
	const later = Date.now() + ms;
	vi.spyOn(Date, "now").mockReturnValue(later);
	return stub.read();
}

test("a dispatcher that does not respond for a quarter of an hour is given up, and the job says so", async () => {
	const { stub, request } = await aJob(2, (id) => {
		if (id.endsWith("1")) throw new Error("no such method");
		return done;
	});
	await stub.begin(request);
	// However often somebody asks.
	for (let looks = 0; looks < 110; looks++) await stub.read();
	expect(await stub.read()).toMatchObject({ status: "running" });
	expect(await readAfter(901_000, stub)).toMatchObject({
		status: "incomplete",
		matched: 2,
		unfinished: { unreachable: 1 },
		endpoints: [{ status: "unreachable" }, { status: "done" }],
	});
});

test("one that responds now and then is not given up", async () => {
	let isDown = true;
	const { stub, request } = await aJob(1, () => {
		if (isDown) throw new Error("overloaded");
		return running;
	});
	await stub.begin(request);
	isDown = false;
	await readAfter(600_000, stub);
	isDown = true;
	expect(await readAfter(600_000, stub)).toMatchObject({ status: "running" });
});

test("a dispatcher that has too many jobs is asked again, and in the end the job says that it was left out", async () => {
	const { stub, standIn, request } = await aJob(2, (id) => (id.endsWith("1") ? { status: "busy" } : done));
	expect(await stub.begin(request)).toMatchObject({ status: "running" });
	expect(await readAfter(901_000, stub)).toMatchObject({
		status: "incomplete",
		unfinished: { busy: 1 },
		endpoints: [{ status: "busy" }, { status: "done" }],
	});
	const calls = standIn.calls.length;
	await stub.read();
	expect(standIn.calls).toHaveLength(calls);
});

test("a job that an earlier build has begun goes on, and is not begun anew", async () => {
	const asked: boolean[] = [];
	const { stub, request, putIn } = await aJob(1, (_, isBegun) => {
		asked.push(isBegun);
		return asked.length === 1 ? running : done;
	});
	await stub.begin(request);
	await runInDurableObject(stub, (_, { storage: { kv } }) => {
		const newer = ["endpointNames", "isBegun", "failingSince"];
		const rows = [...kv.list<object>()];
		for (const [key, value] of rows) {
			kv.put(key, Object.fromEntries(Object.entries(value).filter(([name]) => !newer.includes(name))));
		}
	});
	await evictDurableObject(stub);
	await putIn();
	expect(await stub.read()).toMatchObject({ status: "done", matched: 2, endpointCount: 1 });
	expect(asked).toEqual([false, true]);
});

test("a dispatcher that has forgotten the job is not asked to begin it anew", async () => {
	const asked: boolean[] = [];
	const { stub, request } = await aJob(1, (_, isBegun) => {
		asked.push(isBegun);
		return asked.length === 1 ? running : { status: "forgotten" };
	});
	await stub.begin(request);
	expect(await stub.read()).toMatchObject({
		status: "incomplete",
		matched: 1,
		unfinished: { forgotten: 1 },
		endpoints: [{ status: "forgotten", matched: 1 }],
	});
	expect(asked).toEqual([false, true]);
});

test("canceled, it keeps what is known of a dispatcher that has forgotten it", async () => {
	const { stub, standIn, request } = await aJob(1, () => ({ ...running, done: 1 }));
	await stub.begin(request);
	standIn.stop = () => null;
	expect(await stub.cancel()).toMatchObject({ status: "canceled", matched: 1, done: 1 });
});

test("where nothing was found leaves no row, and all of it is forgotten after a week", async () => {
	const { stub, request } = await aJob(3, () => ({ ...done, ...NO_COUNTS }));
	expect(await stub.begin(request)).toMatchObject({ status: "done", endpointCount: 3, endpoints: [] });
	const now = Date.now();
	vi.spyOn(Date, "now").mockReturnValue(now + 8 * 86_400_000);
	await runDurableObjectAlarm(stub);
	expect(await stub.read()).toBeNull();
	expect(await stub.cancel()).toBeNull();
});
