/** The simulation of bench/scale: the same seed gives the same lines, and small cases give what a hand computes. */
import { describe, expect, test } from "vitest";
import { unitsOfOne } from "../../bench/scale/bills.ts";
import { billFor, callsOf, rowsOf } from "../../bench/scale/costs.ts";
import { simulateEndpoint } from "../../bench/scale/endpoint.ts";
import { fullAt } from "../../bench/scale/full-at.ts";
import { newTally } from "../../bench/scale/counting.ts";
import { makePopulation } from "../../bench/scale/population.ts";
import { fullestOf, QUEUES, queuesFor } from "../../bench/scale/queues.ts";
import { kvReads, readsOf } from "../../bench/scale/rates.ts";
import { linesOf } from "../../bench/scale/report.ts";
import { simulate } from "../../bench/scale/simulation.ts";
import { drawSample, route, type Sample } from "../../bench/scale/traffic.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";
import type { Decision, SluiceEvent } from "../../src/events/event.ts";

const SMALL = { seed: 7, sources: 40, endpoints: 30, events: 300, rounds: 1 };

async function lines(seed: number): Promise<string[]> {
	return linesOf(await simulate({ ...SMALL, seed })).map(({ text }) => text);
}

test("the same seed gives the same lines, another one gives others", async () => {
	const first = await lines(7);
	expect(first.length).toBeGreaterThan(50);
	expect(await lines(7)).toEqual(first);
	expect(await lines(8)).not.toEqual(first);
});

test("decisions match the expected shares of the population", async () => {
	const population = makePopulation({ ...SMALL, sources: 5, endpoints: 5 });
	const tally = await route(await drawSample(population, 4_000), { batch: 10 });
	expect(tally.events).toBe(4_000);
	for (const { id, share } of population.endpoints) {
		const deliveries = (tally.dispatchers.get(id)?.items ?? 0) / tally.events;
		expect(Math.abs(deliveries - share)).toBeLessThan(0.05);
	}
});

function made(sourceId: string, number: number, endpoints: readonly string[]) {
	const event: SluiceEvent = {
		id: `evt_${String(number).padStart(22, "0")}${sourceId}`,
		sourceId: `src_${sourceId}`,
		receivedAt: 0,
		attributes: { id: String(number), source: "/s", type: "t" },
		data: null,
	};
	const decisions = endpoints.map((name): Decision => ({
		deliveryId: `dlv_${number}${name}`,
		subscriptionId: `sub_${sourceId}${name}`,
		subscriptionName: "s",
		endpointId: `ep_${name}`,
		endpointRef: "e@1",
	}));
	return { event, decisions };
}

/** Four events in order: two of source A, which goes to endpoints 1 and 2, one of B, which goes to 1, one of C. */
function fourEvents(): Sample {
	const all = [made("a", 1, ["1", "2"]), made("a", 2, ["1", "2"]), made("b", 3, ["1"]), made("c", 4, [])];
	return {
		reads: all.map(({ event }) => ({
			message: {
				id: event.id,
				timestamp: new Date(0),
				attempts: 1,
				body: encodeSegment([event]),
				ack() {},
				retry() {},
			},
			body: { kind: "events", events: [event] },
		})),
		decisions: new Map(all.map(({ event, decisions }) => [event.id, decisions])),
		messageBytes: 0,
	};
}

describe("four events of three sources", () => {
	test("in one batch are a call for each source and each endpoint", async () => {
		const tally = await route(fourEvents(), { batch: 4 });
		// Three logs at once, then two dispatchers at once.
		const totals = { events: 4, deliveries: 5, batches: 1, logCalls: 3, dispatcherCalls: 2, steps: 2 };
		expect(tally).toMatchObject(totals);
		expect(tally.logs.get("src_a")).toMatchObject({ calls: 1, items: 2 });
		expect(tally.dispatchers.get("ep_1")).toMatchObject({ calls: 1, items: 3 });
	});

	test("one by one are a call for each event and each delivery", async () => {
		const tally = await route(fourEvents(), { batch: 1 });
		const totals = { events: 4, deliveries: 5, batches: 4, logCalls: 4, dispatcherCalls: 5, steps: 7 };
		expect(tally).toMatchObject(totals);
	});

	test("from two queues share batches with those of their own queue only", async () => {
		const tally = await route(fourEvents(), { batch: 4, queues: [0, 1, 0, 1] });
		expect(tally).toMatchObject({ batches: 2, logCalls: 4, dispatcherCalls: 4 });
	});
});

test("a queue that is full passes on to the next, and every message has one", async () => {
	const sample = await drawSample(makePopulation(SMALL), 160);
	expect(fullestOf(queuesFor(sample, () => "src_one", Number.POSITIVE_INFINITY))).toBe(160);
	const spread = queuesFor(sample, () => "src_one", 10);
	expect(spread).toHaveLength(160);
	expect(fullestOf(spread)).toBe(10);
	expect(new Set(spread).size).toBe(QUEUES);
});

/** Dollars a million events that events of one batch share. */
function shared(fanOut: number, together: number): number {
	const { requests, calls, rows } = billFor({ ...unitsOfOne(fanOut, together, 0), extraAttempts: 0 });
	return requests + calls + rows - 0.3 - 2 * fanOut;
}

describe("costs", () => {
	test("one event alone, delivered at once, is what docs/limits.md adds up", () => {
		const units = { ...unitsOfOne(1, 1, 0), extraAttempts: 0 };
		expect(rowsOf(units)).toBe(1 + 2 + 2);
		expect(callsOf(units)).toBe(2);
		const { requests, queue, calls, rows } = billFor(units);
		// Ingest and router $0.30 each; three operations; log and dispatcher; five rows.
		expect(requests).toBeCloseTo(0.6);
		expect(queue).toBeCloseTo(1.2);
		expect(calls).toBeCloseTo(0.3);
		expect(rows).toBeCloseTo(5);
	});

	test("a batch costs $3.60 for one delivery and $2.15 for each further one, divided by its events", () => {
		expect(shared(1, 1)).toBeCloseTo(3.6);
		expect(shared(1, 10)).toBeCloseTo(0.36);
		expect(shared(5, 1)).toBeCloseTo(3.6 + 4 * 2.15);
	});

	test("an attempt that fails first adds three rows", () => {
		const units = { ...unitsOfOne(2, 1, 0), extraAttempts: 1 };
		expect(rowsOf(units)).toBe(1 + 2 * 2 + 2 * (2 + 3));
	});
});

describe("rates", () => {
	test("something cached for 5 s is read at each use if it is rare, and every 5 s if it is used often", () => {
		expect(readsOf(0.001, 5)).toBeCloseTo(0.001, 4);
		expect(readsOf(10_000, 5)).toBeCloseTo(0.2, 3);
	});

	test("an isolate that remembers fewer sources than it meets reads KV more often", () => {
		const sources = Array.from({ length: 5_000 }, (_, index) => ({ id: String(index), share: 1 / 5_000 }));
		const population = { ...makePopulation(SMALL), sources };
		// One isolate, 500 requests/s: each source every 10 s; half of the visits would find it in memory, if it fitted.
		expect(kvReads(population, 500)).toBeGreaterThan(250);
		expect(kvReads(population, 500)).toBeLessThanOrEqual(500);
	});

	test("something is full at the load at which it reaches its limit", () => {
		const finding = {
			usage: (load: number) => 2 * load,
			limit: { low: 10, high: 20, origin: "own" },
		} as const;
		const { low, high } = fullAt(finding, newTally());
		expect(low).toBeCloseTo(5);
		expect(high).toBeCloseTo(10);
		expect(fullAt({ ...finding, usage: () => 1 }, newTally()).low).toBe(Number.POSITIVE_INFINITY);
	});
});

describe("an endpoint", () => {
	const setting = {
		seed: 1,
		modelSeconds: 1,
		capacity: Number.POSITIVE_INFINITY,
		exchanges: 6,
		batch: 1,
		inProcess: 6,
		gatherSeconds: 0.01,
		from: 10,
		seconds: 110,
	};

	test("with six connections delivers six a second to a model that takes one", () => {
		const { perSecond, hands, settleCalls } = simulateEndpoint(setting);
		expect(perSecond).toBeGreaterThan(5.8);
		expect(perSecond).toBeLessThan(6.2);
		expect({ hands, settleCalls }).toEqual({ hands: 0, settleCalls: 0 });
	});

	test("with hands delivers as many as it has exchanges, for at most a call each", () => {
		const { perSecond, hands, settleCalls } = simulateEndpoint({ ...setting, exchanges: 41, inProcess: 5 });
		expect(hands).toBe(6);
		expect(perSecond).toBeGreaterThan(39);
		expect(perSecond).toBeLessThan(42);
		expect(settleCalls).toBeLessThanOrEqual((perSecond * 36) / 41 + 1);
	});

	test("whose model accepts two at once wastes few requests once that is learnt", () => {
		const { perSecond, wasted } = simulateEndpoint({ ...setting, capacity: 2 });
		expect(perSecond).toBeGreaterThan(1.8);
		expect(wasted).toBeLessThan(0.05);
	});
});
