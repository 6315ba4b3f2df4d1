import { describe, expect, test } from "vitest";
import {
	deliveryId,
	endpointIdOf,
	eventId,
	logIdOf,
	logIdsOf,
	logOf,
	newId,
	resultEventId,
	sourceIdOfLog,
} from "../../src/events/ids.ts";

const attributes = { source: "/orders", id: "order-42" };

test("an event id follows from the source and the publisher's id", () => {
	expect(eventId("src_0123456789", attributes)).toBe(eventId("src_0123456789", attributes));
	expect(eventId("src_0123456789", attributes)).toMatch(/^evt_[0-9a-z]{32}$/);
});

test.each([
	["another source of the router", "src_9876543210", attributes],
	["another CloudEvents source", "src_0123456789", { ...attributes, source: "/invoices" }],
	["another publisher's id", "src_0123456789", { ...attributes, id: "order-43" }],
	["parts that only join to the same text", "src_0123456789", { source: "/ordersorder", id: "-42" }],
])("%s makes another event", (_what, sourceId, other) => {
	expect(eventId(sourceId, other)).not.toBe(eventId("src_0123456789", attributes));
});

test("ids tell which object holds what they name", () => {
	const event = eventId("src_0123456789", attributes);
	const delivery = deliveryId({ eventId: event, subscriptionId: "sub_a", endpointId: "ep_0123456789" });
	expect(logIdOf(event)).toBe("src_0123456789");
	expect(endpointIdOf(delivery)).toBe("ep_0123456789");
});

test.each([
	"evt_",
	"evt_short",
	"dlv_0000000000000000000000api",
	"evt_../../x",
	"evt_0000000000000000000000A",
])("%s is no event id", (id) => {
	expect(logIdOf(id)).toBeNull();
});

function logOfAnswer(endpointId: string, deliveryId = "dlv_1"): string {
	return logOf({ id: resultEventId({ endpointId, deliveryId }), sourceId: "src_results" });
}

describe("results", () => {
	const answer = { endpointId: "ep_0123456789", deliveryId: "dlv_1" };

	test("have an id that follows from endpoint and delivery", () => {
		expect(resultEventId(answer)).toBe(resultEventId({ ...answer }));
		const others = [
			{ ...answer, deliveryId: "dlv_2" },
			{ ...answer, endpointId: "ep_9876543210" },
		];
		const hashes = [answer, ...others].map((parts) => resultEventId(parts).slice(0, 26));
		expect(new Set(hashes).size).toBe(3);
	});

	test("of one endpoint share a log, those of a thousand are spread over sixteen", () => {
		expect(logOfAnswer("ep_1", "dlv_1")).toBe(logOfAnswer("ep_1", "dlv_2"));
		const counts = Array.from(
			Map.groupBy(
				Array.from({ length: 1_000 }, () => logOfAnswer(newId("ep"))),
				(log) => log,
			),
			([log, all]) => [log, all.length] as const,
		);
		expect(counts).toHaveLength(16);
		for (const [log, count] of counts) {
			expect(logIdsOf("src_results")).toContain(log);
			expect(sourceIdOfLog(log)).toBe("src_results");
			expect(count).toBeGreaterThan(20);
		}
	});

	test("with an id of release 0.1 are in the one log that it had", () => {
		const event = { id: eventId("src_results", attributes), sourceId: "src_results" };
		expect(logOf(event)).toBe("src_results");
		expect(logIdsOf("src_results")).toContain("src_results");
	});

	test("are the only events that share no log", () => {
		expect(logIdsOf("src_0123456789")).toEqual(["src_0123456789"]);
		expect(logOf({ id: "evt_1", sourceId: "src_0123456789" })).toBe("src_0123456789");
		expect(sourceIdOfLog("src_0123456789")).toBe("src_0123456789");
	});
});

test("random ids carry their prefix, and differ", () => {
	const ids = new Set(Array.from({ length: 1000 }, () => newId("ep")));
	expect(ids.size).toBe(1000);
	for (const id of ids) expect(id).toMatch(/^ep_[0-9a-hjkmnp-tv-z]{10}$/);
});

// Stored ids must mean the same thing after every deploy.
test("the computation does not change", () => {
	expect(eventId("src_api", { source: "/s", id: "1" })).toBe("evt_sb03fcyxp0p3s1ec5z7sqyapi");
	expect(resultEventId({ endpointId: "ep_z", deliveryId: "dlv_1" })).toBe(
		"evt_fyryt127y8npymhmd2hx6gresultse",
	);
	expect(deliveryId({ eventId: "evt_x", subscriptionId: "sub_y", endpointId: "ep_z" })).toBe(
		"dlv_4nt4z9n93q1xhsd3xgt4ajz",
	);
});
