import { describe, expect, test } from "vitest";
import type { SluiceEvent } from "../../src/events/event.ts";
import { CHAIN_ATTRIBUTE, HOPS_ATTRIBUTE } from "../../src/events/lineage.ts";
import { testAttributes, testSourceAttributes } from "../../src/events/test-mark.ts";
import { whyNotSource } from "../../src/routing/criteria.ts";
import { decide } from "../../src/routing/decide.ts";
import { buildTable } from "../../src/routing/table.ts";
import type { EndpointStatus, Subscription } from "../../src/store/records.ts";
import { aSubscription } from "../store/records.ts";

function subscription(id: string, more: Partial<Subscription> = {}): Subscription {
	return aSubscription({ id: `sub_${id}`, name: id, target: { endpointId: "ep_ocr1" }, ...more });
}

function endpoint(id: string, version: string, createdAt: number, status: EndpointStatus = "active") {
	return { id: `ep_${id}`, name: "ocr", version, status, createdAt };
}

function event(attributes: Partial<SluiceEvent["attributes"]> = {}): SluiceEvent {
	return {
		id: "evt_1",
		sourceId: "src_docs",
		receivedAt: 0,
		attributes: { id: "1", source: "/docs", type: "document.inserted", ...attributes },
		data: { kind: "json", text: '{"size":1}' },
	};
}

const endpoints = [endpoint("ocr1", "1", 1), endpoint("ocr2", "2", 2)];

async function matched(subscriptions: Subscription[], of = event(), versions = endpoints): Promise<string[]> {
	const table = buildTable({ version: 1, endpoints: versions, subscriptions });
	return (await decide(of, table)).map(
		({ subscriptionName, endpointRef }) => `${subscriptionName}→${endpointRef}`,
	);
}

test("operational events are for subscriptions that name their source, and for no other", async () => {
	const all = subscription("all");
	const named = subscription("named", { sourceId: "src_sluice" });
	const typed = subscription("typed", { types: ["sluice.*"] });
	const operational = { ...event({ type: "sluice.endpoint.paused" }), sourceId: "src_sluice" };
	expect(await matched([all, named, typed], operational)).toEqual(["named→ocr@1"]);
	expect(await matched([all, named], event())).toEqual(["all→ocr@1"]);
	expect(whyNotSource(typed, operational, new Map())).toContain('"source": "sluice"');
	expect(whyNotSource(named, operational, new Map())).toBeNull();
});

test("events of a test source are for subscriptions that name their source, and so is what comes of them", async () => {
	const all = subscription("all", { types: ["*"] });
	const named = subscription("named", { sourceId: "src_docs" });
	const tried = event(testSourceAttributes(true));
	expect(await matched([all, named], tried)).toEqual(["named→ocr@1"]);
	expect(whyNotSource(all, tried, new Map())).toContain("names the source");
	expect(whyNotSource(named, tried, new Map())).toBeNull();
	const result = { ...event(testAttributes(tried.attributes)), sourceId: "src_results" };
	expect(await matched([all, subscription("chained", { sourceId: "src_results" })], result)).toEqual([
		"chained→ocr@1",
	]);
	// A sample that is sent through an ordinary source goes where its events go.
	expect(await matched([all], event({ sluicetest: true }))).toEqual(["all→ocr@1"]);
});

describe("a subscription matches", () => {
	test.each<[string, Partial<Subscription>, boolean]>([
		["with no conditions", {}, true],
		["its exact type", { types: ["document.inserted"] }, true],
		["another exact type", { types: ["document.deleted"] }, false],
		["a prefix of the type", { types: ["document.*"] }, true],
		["a prefix that is the whole type", { types: ["document.inserted*"] }, true],
		["a longer prefix", { types: ["document.inserted.twice*"] }, false],
		["every type by a lone star", { types: ["*"] }, true],
		["one of several types", { types: ["invoice.*", "document.inserted"] }, true],
		["its source", { sourceId: "src_docs" }, true],
		["another source", { sourceId: "src_other" }, false],
		["when its filters hold", { filters: [{ jsonata: "data.size = 1" }] }, true],
		["when a filter does not hold", { filters: [{ jsonata: "data.size = 2" }] }, false],
		["while paused", { status: "paused" }, false],
	])("%s", async (_what, more, matches) => {
		expect(await matched([subscription("a", more)])).toEqual(matches ? ["a→ocr@1"] : []);
	});

	test("once, however many of its types fit", async () => {
		expect(
			await matched([subscription("a", { types: ["*", "document.*", "document.inserted"] })]),
		).toHaveLength(1);
	});
});

describe("@latest", () => {
	const latest = [subscription("a", { target: { latestOf: "ocr" } })];

	test.each([
		["the newest version", endpoints, ["a→ocr@2"]],
		["the newest active one", [endpoint("ocr1", "1", 1), endpoint("ocr2", "2", 2, "paused")], ["a→ocr@1"]],
		[
			"the newest of all when none is active",
			[endpoint("ocr1", "1", 1, "paused"), endpoint("ocr2", "2", 2, "disabled")],
			["a→ocr@2"],
		],
		["nothing when no version is left", [], []],
	])("means %s", async (_what, versions, expected) => {
		expect(await matched(latest, event(), versions)).toEqual(expected);
	});
});

test("the same event gives the same deliveries every time, and another event others", async () => {
	const table = buildTable({
		version: 1,
		endpoints,
		subscriptions: [subscription("a"), subscription("b")],
	});
	const ids = async (of: SluiceEvent) => (await decide(of, table)).map(({ deliveryId }) => deliveryId);
	expect(await ids(event())).toEqual(await ids(event()));
	expect(new Set([...(await ids(event())), ...(await ids({ ...event(), id: "evt_2" }))]).size).toBe(4);
});

const deep = (hops: number) => ({ [CHAIN_ATTRIBUTE]: "sub_b", [HOPS_ATTRIBUTE]: hops });

describe("a result event that goes round", () => {
	const publishing = { type: "document.read", transform: null, maxHops: 3, allowCycles: false };

	test.each<[string, Partial<Subscription>, Record<string, string | number>, boolean]>([
		[
			"at a subscription it has not been through",
			{ result: publishing },
			{ [CHAIN_ATTRIBUTE]: "sub_b", [HOPS_ATTRIBUTE]: 1 },
			false,
		],
		[
			"back at one it came through",
			{ result: publishing },
			{ [CHAIN_ATTRIBUTE]: "sub_b,sub_a", [HOPS_ATTRIBUTE]: 2 },
			true,
		],
		[
			"back at one that allows cycles",
			{ result: { ...publishing, allowCycles: true } },
			{ [CHAIN_ATTRIBUTE]: "sub_a", [HOPS_ATTRIBUTE]: 1 },
			false,
		],
		["as deep as chains of results go, at one that publishes nothing", { result: null }, deep(65), false],
		["deeper than that, at one that publishes nothing", { result: null }, deep(66), true],
		[
			"back at one that publishes nothing: its endpoint has posted it",
			{ result: null },
			{ [CHAIN_ATTRIBUTE]: "sub_a", [HOPS_ATTRIBUTE]: 1 },
			true,
		],
		["as deep as it may be", { result: publishing }, { [HOPS_ATTRIBUTE]: 3 }, false],
		["deeper than it may be", { result: publishing }, { [HOPS_ATTRIBUTE]: 4 }, true],
		[
			"deeper than it may be, where cycles are allowed",
			{ result: { ...publishing, allowCycles: true } },
			{ [HOPS_ATTRIBUTE]: 4 },
			true,
		],
	])("%s", async (_what, more, attributes, stops) => {
		const table = buildTable({
			version: 1,
			endpoints,
			subscriptions: [subscription("a", more)],
		});
		const [decision] = await decide(event(attributes), table);
		expect(decision?.dead).toBe(stops ? "loop" : undefined);
	});
});

test("finding candidates does not look at subscriptions to other types", async () => {
	const others = Array.from({ length: 10_000 }, (_, index) =>
		Object.defineProperty(subscription(`other${index}`, { types: [`other.${index}`] }), "filters", {
			get: () => expect.fail("another type's subscription was looked at"),
		}),
	);
	expect(await matched([...others, subscription("a", { types: ["document.inserted"] })])).toEqual([
		"a→ocr@1",
	]);
});
