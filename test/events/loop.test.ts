import { describe, expect, test } from "vitest";
import { loopCause, loopDetail } from "../../src/events/loop.ts";

const event = (hops: number, chain: string) => ({
	id: "1",
	source: "/s",
	type: "t",
	...(hops > 0 && { sluicehops: hops, sluicechain: chain }),
});
const bounds = (maxHops: number, allowCycles = false) => ({ id: "sub_a", result: { maxHops, allowCycles } });

describe("a loop names its one cause", () => {
	test.each([
		["a publisher's event", event(0, ""), bounds(1), null],
		["a result that comes for the first time", event(1, "sub_b"), bounds(8), null],
		["one that is back", event(2, "sub_a,sub_b"), bounds(8), "cycle"],
		["one that is back where cycles are allowed", event(2, "sub_a,sub_b"), bounds(8, true), null],
		["one that is too deep", event(9, "sub_b"), bounds(8), "max_hops"],
		["one that is too deep where cycles are allowed", event(9, "sub_a"), bounds(8, true), "max_hops"],
		["one that is both", event(9, "sub_a"), bounds(8), "cycle"],
		[
			"one that is back where no results are published",
			event(1, "sub_a"),
			{ id: "sub_a", result: null },
			"cycle",
		],
	])("%s", (_what, attributes, subscription, cause) => {
		expect(loopCause(attributes, subscription)).toBe(cause);
		if (cause === null) return;
		const detail = loopDetail(attributes, subscription);
		expect(detail).toMatch(cause === "cycle" ? /passed through this subscription/ : /max_hops/);
		expect(detail).not.toMatch(cause === "cycle" ? /max_hops/ : /cycle/);
	});

	test("names the numbers; for an unknown subscription only what the event contains", () => {
		expect(loopDetail(event(9, "sub_b"), bounds(8))).toBe(
			"The event is 9 results deep, more than max_hops of the subscription allows, which is 8.",
		);
		const lost = { id: "sub_a", result: undefined };
		expect(loopDetail(event(9, "sub_b"), lost)).toMatch(/^The event is 9 results deep.*allows\.$/);
		expect(loopDetail(event(2, "sub_a"), lost)).toMatch(/cycle/);
	});
});
