import { describe, expect, test } from "vitest";
import type { DeliveryRecord } from "../../../src/delivery/records.ts";
import { DELIVERY_STATUSES } from "../../../src/delivery/records.ts";
import { explainBlocked } from "../../../src/delivery/rules/blocked.ts";

const NOW = 1_000;

function record(more: Partial<DeliveryRecord>): DeliveryRecord {
	return {
		position: 1,
		id: "dlv_1",
		eventId: "evt_1",
		subscriptionId: "sub_1",
		subscriptionName: "s",
		endpointId: "ep_1",
		endpointRef: "ocr@3",
		status: "pending",
		reason: null,
		detail: null,
		attempts: [],
		deadlineAt: null,
		nextAttemptAt: 1,
		blockedBy: null,
		blockedUntil: null,
		createdAt: 0,
		finishedAt: null,
		result: null,
		resultOmitted: null,
		resultEventId: null,
		...more,
	};
}

const OPEN = { blockedBy: null, blockedUntil: null } as const;

describe("no moment that a delivery names is in the past", () => {
	test.each(DELIVERY_STATUSES.map((status) => [status] as const))("%s", (status) => {
		for (const blocked of [
			OPEN,
			{ blockedBy: "paused", blockedUntil: null },
			{ blockedBy: "hold", blockedUntil: NOW + 5 },
			{ blockedBy: "database", blockedUntil: null },
		] as const) {
			const { nextAttemptAt } = explainBlocked(record({ status }), blocked, NOW);
			expect(nextAttemptAt ?? NOW).toBeGreaterThanOrEqual(NOW);
		}
	});
});

test.each(["paused", "database"] as const)("a due delivery says %s, and no moment", (blockedBy) => {
	const told = explainBlocked(record({}), { blockedBy, blockedUntil: null }, NOW);
	expect(told).toMatchObject({ blockedBy, blockedUntil: null, nextAttemptAt: null });
});

test("one that waits for the queue is blocked by nothing of its endpoint", () => {
	const told = explainBlocked(
		record({ status: "publishing" }),
		{ blockedBy: "paused", blockedUntil: null },
		NOW,
	);
	expect(told).toMatchObject({ blockedBy: null, nextAttemptAt: NOW });
});
