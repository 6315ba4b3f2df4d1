import { expect, test } from "vitest";
import { deliveryId, endpointIdOf, eventId, newId, sourceIdOf } from "../../src/events/ids.ts";

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
	const event = eventId("src_results", attributes);
	const delivery = deliveryId({ eventId: event, subscriptionId: "sub_a", endpointId: "ep_0123456789" });
	expect(sourceIdOf(event)).toBe("src_results");
	expect(endpointIdOf(delivery)).toBe("ep_0123456789");
});

test.each([
	"evt_",
	"evt_short",
	"dlv_0000000000000000000000api",
	"evt_../../x",
	"evt_0000000000000000000000A",
])("%s is no event id", (id) => {
	expect(sourceIdOf(id)).toBeNull();
});

test("random ids carry their prefix, and differ", () => {
	const ids = new Set(Array.from({ length: 1000 }, () => newId("ep")));
	expect(ids.size).toBe(1000);
	for (const id of ids) expect(id).toMatch(/^ep_[0-9a-hjkmnp-tv-z]{10}$/);
});

// Stored ids must mean the same thing after every deploy.
test("the computation does not change", () => {
	expect(eventId("src_api", { source: "/s", id: "1" })).toBe("evt_sb03fcyxp0p3s1ec5z7sqyapi");
	expect(deliveryId({ eventId: "evt_x", subscriptionId: "sub_y", endpointId: "ep_z" })).toBe(
		"dlv_4nt4z9n93q1xhsd3xgt4ajz",
	);
});
