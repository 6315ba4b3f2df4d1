/** The budget by itself, and what becomes of whole families of events when `decide` goes by it. */
import { describe, expect, test } from "vitest";
import { refusedBy } from "../../src/events/decision.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { DEFAULT_RESULT_BUDGET, divideBudget, resultBudget } from "../../src/routing/budget.ts";
import { decide } from "../../src/routing/decide.ts";
import { buildTable, type RoutingTable } from "../../src/routing/table.ts";
import { buildResultEvent } from "../../src/results/result-event.ts";
import type { ResultPolicy, Subscription } from "../../src/store/records.ts";
import { aSubscription } from "../store/records.ts";

const leaf = (id: string) => ({ subscriptionId: id, publishes: false });
const node = (id: string) => ({ subscriptionId: id, publishes: true });

describe("a budget is divided", () => {
	test.each([
		["among nobody", 100, [], {}],
		["to the only one, less the request itself", 100, [node("a")], { a: 99 }],
		["evenly", 100, [node("a"), node("b"), node("c"), node("d")], { a: 24, b: 24, c: 24, d: 24 }],
		[
			"with the remainder by id, in whatever order",
			10,
			[node("c"), node("a"), node("b")],
			{ a: 3, b: 2, c: 2 },
		],
		["among those that publish", 100, [node("b"), leaf("a"), leaf("c")], { a: 0, b: 97, c: 0 }],
		["among all where none publishes", 9, [leaf("b"), leaf("a")], { a: 4, b: 3 }],
		["to the last request", 2, [node("a"), node("b")], { a: 0, b: 0 }],
		["to the first by id when there are too many", 2, [node("c"), leaf("b"), leaf("a")], { a: 0, b: 0 }],
		["not at all when it is used up", 0, [node("a")], {}],
	])("%s", (_what, budget, children, expected) => {
		expect(Object.fromEntries(divideBudget(budget, children))).toEqual(expected);
	});

	test("and never grows: children and all they pass on are at most what there was", () => {
		for (let budget = 0; budget < 60; budget++) {
			for (let nodes = 0; nodes < 8; nodes++) {
				for (let leaves = 0; leaves < 8; leaves++) {
					const children = [
						...Array.from({ length: nodes }, (_, index) => node(`n${index}`)),
						...Array.from({ length: leaves }, (_, index) => leaf(`l${index}`)),
					];
					const shares = divideBudget(budget, children);
					const passedOn = [...shares.values()].reduce((sum, share) => sum + share, 0);
					expect(shares.size + passedOn).toBeLessThanOrEqual(budget);
					if (children.length > 0) expect(shares.size + passedOn).toBe(budget);
				}
			}
		}
	});
});

test.each([
	[undefined, DEFAULT_RESULT_BUDGET],
	["250", 250],
	["1", 1],
	["0", DEFAULT_RESULT_BUDGET],
	["-1", DEFAULT_RESULT_BUDGET],
	["1.5", DEFAULT_RESULT_BUDGET],
	["many", DEFAULT_RESULT_BUDGET],
	["", DEFAULT_RESULT_BUDGET],
	["1e9", DEFAULT_RESULT_BUDGET],
])("RESULT_BUDGET %j is %i", (RESULT_BUDGET, expected) => {
	expect(resultBudget(RESULT_BUDGET === undefined ? {} : { RESULT_BUDGET })).toBe(expected);
});

describe("requests caused by one event", () => {
	const publishing: ResultPolicy = { type: "t", transform: null, maxHops: 64, allowCycles: false };

	test.each([
		[2, 4],
		[3, 15],
		[4, 64],
		[5, 325],
	])("a mesh of %i subscriptions makes all its %i requests", async (size, requests) => {
		expect(await simulate(mesh(size))).toMatchObject({ requests, budget: 0 });
	});

	test.each([6, 7, 8, 12])("a mesh of %i is bounded by the budget of each direct delivery", async (size) => {
		const { requests, budget } = await simulate(mesh(size));
		expect(requests).toBeGreaterThan(size * 50);
		expect(requests).toBeLessThanOrEqual(size * (1 + DEFAULT_RESULT_BUDGET));
		expect(budget).toBeGreaterThan(0);
	});

	test("a mesh of 7 took 13,699 requests where nothing bounded it", async () => {
		expect((await simulate(mesh(7), 1_000_000)).requests).toBe(13_699);
		expect((await simulate(mesh(7))).requests).toBeLessThanOrEqual(707);
	});

	test("a mesh whose endpoints post what they were sent is bounded likewise", async () => {
		expect((await simulate(mesh(5, { result: null }), DEFAULT_RESULT_BUDGET, true)).requests).toBe(325);
		expect((await simulate(mesh(7, { result: null }), DEFAULT_RESULT_BUDGET, true)).requests).toBeLessThan(
			708,
		);
	});

	test.each([8, 64])(
		"a chain of %i hops keeps going, with somebody who listens to every step",
		async (hops) => {
			const step = subscription("step", { result: { ...publishing, maxHops: hops, allowCycles: true } });
			const alone = await simulate(tableOf([step]));
			// The publisher's event and `hops` results; the last result is too deep.
			expect(alone).toEqual({ requests: hops + 1, loop: 1, budget: 0 });
			const heard = await simulate(tableOf([step, subscription("audit", { sourceId: "src_results" })]));
			if (hops === 8) expect(heard).toEqual({ requests: 2 * hops + 2, loop: 1, budget: 0 });
			else expect(heard.requests).toBe(1 + DEFAULT_RESULT_BUDGET);
		},
	);

	test("a result for 100 subscriptions that publish nothing is sent to all of them, and to none beyond", async () => {
		const first = subscription("first", { sourceId: "src_docs", result: { ...publishing, type: "read" } });
		const leaves = (count: number) =>
			Array.from({ length: count }, (_, index) => subscription(`leaf${index}`, { sourceId: "src_results" }));
		expect(await simulate(tableOf([first, ...leaves(100)]))).toEqual({ requests: 101, loop: 0, budget: 0 });
		expect(await simulate(tableOf([first, ...leaves(103)]))).toEqual({ requests: 101, loop: 0, budget: 3 });
	});

	test("a publisher's own event is never counted", async () => {
		const many = Array.from({ length: 500 }, (_, index) => subscription(`leaf${index}`));
		expect(await simulate(tableOf(many), 1)).toEqual({ requests: 500, loop: 0, budget: 0 });
	});

	test("neighbours share nothing: one that fans out takes nothing from another", async () => {
		const wide = subscription("wide", { sourceId: "src_docs", result: { ...publishing, type: "wide" } });
		const narrow = subscription("narrow", {
			sourceId: "src_docs",
			result: { ...publishing, type: "narrow" },
		});
		const leaves = Array.from({ length: 150 }, (_, index) =>
			subscription(`wide${index}`, { types: ["wide"] }),
		);
		const next = subscription("next", { types: ["narrow"] });
		expect(await simulate(tableOf([wide, narrow, next, ...leaves]))).toEqual({
			requests: 2 + 100 + 1,
			loop: 0,
			budget: 50,
		});
	});

	test("an event queued by a release without budgets has the whole budget", async () => {
		const old = event({ sluicehops: 2, sluicechain: "sub_x,sub_y" });
		const [decision] = await decide(old, tableOf([subscription("a", { result: publishing })]));
		expect(decision).toMatchObject({ budget: DEFAULT_RESULT_BUDGET - 1 });
	});

	test("a delivery that routing refuses has no budget, so a retry by hand starts with a new one", async () => {
		const spent = event({ sluicehops: 1, sluicechain: "sub_x", sluicebudget: 0 });
		const [decision] = await decide(spent, tableOf([subscription("a", { result: publishing })]));
		// The word that release 0.1 reads, and does not send.
		expect(decision).toMatchObject({ dead: "loop", isOverBudget: true });
		expect(decision).not.toHaveProperty("budget");
	});

	function mesh(size: number, more: Partial<Subscription> = {}): RoutingTable {
		return tableOf(
			Array.from({ length: size }, (_, index) => subscription(`m${index}`, { result: publishing, ...more })),
		);
	}
});

/** Delivers an event and all that comes of it. `posts`: endpoints post a new event instead of answering one. */
async function simulate(table: RoutingTable, wholeBudget = DEFAULT_RESULT_BUDGET, posts = false) {
	const policies = new Map(table.subscriptions.map(({ id, result }) => [id, result]));
	const seen = { requests: 0, loop: 0, budget: 0 };
	const queue = [event()];
	for (let parent = queue.shift(); parent !== undefined; parent = queue.shift()) {
		for (const decision of await decide(parent, table, () => {}, wholeBudget)) {
			const refused = refusedBy(decision);
			if (refused !== null) {
				seen[refused] += 1;
				continue;
			}
			seen.requests += 1;
			const policy = policies.get(decision.subscriptionId) ?? null;
			if (policy === null && !posts) continue;
			const result = buildResultEvent({
				parent,
				deliveryId: decision.deliveryId,
				subscriptionId: decision.subscriptionId,
				budget: decision.budget ?? null,
				endpointId: decision.endpointId,
				endpointName: "model",
				endpointRef: decision.endpointRef,
				policy: policy ?? { type: null, transform: null, maxHops: 8, allowCycles: false },
				output: { kind: "data", data: { kind: "json", text: "{}" }, contentType: "application/json" },
				now: 0,
			});
			queue.push(result);
		}
	}
	return seen;
}

function tableOf(subscriptions: Subscription[]): RoutingTable {
	const endpoint = { id: "ep_1", name: "model", version: "1", status: "active" as const, createdAt: 0 };
	return buildTable({ version: 1, endpoints: [endpoint], subscriptions });
}

function event(attributes: Partial<SluiceEvent["attributes"]> = {}): SluiceEvent {
	return {
		id: "evt_1",
		sourceId: "src_docs",
		receivedAt: 0,
		attributes: { id: "1", source: "/docs", type: "t", ...attributes },
		data: null,
	};
}

function subscription(id: string, more: Partial<Subscription> = {}): Subscription {
	return aSubscription({ id: `sub_${id}`, name: id, target: { endpointId: "ep_1" }, ...more });
}
