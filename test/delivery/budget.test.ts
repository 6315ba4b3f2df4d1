/** The share of the budget that routing gave a delivery: kept as long as the delivery, and handed to its result. */
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { budgetOf } from "../../src/events/lineage.ts";
import { decodeSegment } from "../../src/events/queue/segment.ts";
import { createSetting, incoming, model, whenStatus, whenTried } from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const result = { type: "document.read", transform: null, maxHops: 8, allowCycles: false };

/** Catches what is published; answers the budget of each result event. */
function published(): () => (number | null)[] {
	const send = vi.spyOn(env.EVENTS, "send");
	send.mockResolvedValue({} as Awaited<ReturnType<typeof env.EVENTS.send>>);
	return () =>
		send.mock.calls.flatMap(([segment]) =>
			decodeSegment(segment).map(({ attributes }) => budgetOf(attributes)),
		);
}

describe("the result of a delivery", () => {
	test.each([
		["has what routing gave the delivery", 24],
		["has nothing left where routing gave nothing", 0],
		["says nothing where the delivery has the whole budget", null],
	])("%s", async (_what, budget) => {
		const setting = await createSetting({ subscription: { result } });
		const budgets = published();
		model(() => Response.json({ text: "read" }));
		const item = incoming(setting, budget === null ? {} : { budget });
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "succeeded");
		expect(budgets()).toEqual([budget]);
	});

	test("has it after an attempt that failed, too", async () => {
		const setting = await createSetting({ subscription: { result } });
		const budgets = published();
		model(() => new Response("", { status: 500 }));
		const item = incoming(setting, { budget: 7 });
		await setting.dispatcher.enqueue([item]);
		await whenTried(setting, item.id);
		model(() => Response.json({ text: "read" }));
		await setting.dispatcher.retry(item.id);
		await whenStatus(setting, item.id, "succeeded");
		expect(budgets()).toEqual([7]);
	});
});

describe("a delivery that the budget does not reach", () => {
	test("is dead without an attempt, and says why; a retry by hand is sent with a new budget", async () => {
		const setting = await createSetting({ subscription: { result } });
		const budgets = published();
		const calls = model(() => Response.json({ text: "read" }));
		const item = incoming(setting, { dead: "loop", isOverBudget: true });
		await setting.dispatcher.enqueue([item]);
		expect(await whenStatus(setting, item.id, "dead")).toMatchObject({
			reason: "budget",
			detail: expect.stringContaining("RESULT_BUDGET"),
			attempts: [],
		});
		expect(calls).toEqual([]);
		expect((await setting.dispatcher.list({ reason: "budget", limit: 10 })).items).toHaveLength(1);
		await setting.dispatcher.retry(item.id);
		await whenStatus(setting, item.id, "succeeded");
		expect(calls).toHaveLength(1);
		expect(budgets()).toEqual([null]);
	});
});
