import { describe, expect, test } from "vitest";
import * as z from "zod";
import { decisionList, refusedBy } from "../../src/events/decision.ts";
import type { Decision } from "../../src/events/event.ts";

const decision: Decision = {
	deliveryId: "dlv_1",
	subscriptionId: "sub_1",
	subscriptionName: "a",
	endpointId: "ep_1",
	endpointRef: "model@1",
};

describe("a decision", () => {
	test.each<[string, Partial<Decision>, ReturnType<typeof refusedBy>]>([
		["to send", {}, null],
		["to send, with a share of the budget", { budget: 24 }, null],
		["that it is a loop", { dead: "loop" }, "loop"],
		["that the budget is used up", { dead: "loop", isOverBudget: true }, "budget"],
	])("%s, comes back from storage as it was", (_what, more, refused) => {
		const [stored] = decisionList.parse(JSON.parse(JSON.stringify([{ ...decision, ...more }])));
		expect(stored).toEqual({ ...decision, ...more });
		expect(refusedBy({ ...decision, ...more })).toBe(refused);
	});

	test("that the budget is used up is one that release 0.1 reads as a loop, and does not send", () => {
		const ofRelease01 = z.object({ deliveryId: z.string(), dead: z.literal("loop").exactOptional() });
		const overBudget: Decision = { ...decision, dead: "loop", isOverBudget: true };
		expect(ofRelease01.parse(overBudget)).toEqual({ deliveryId: "dlv_1", dead: "loop" });
	});
});
