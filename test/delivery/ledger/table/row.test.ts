import { expect, test } from "vitest";
import { COLUMNS, type DeliveryRow } from "../../../../src/delivery/ledger/table/columns.ts";
import { fromRow, toRow } from "../../../../src/delivery/ledger/table/row.ts";

const attempt = {
	number: 1,
	at: 1,
	durationMs: 2,
	statusCode: 200,
	outcome: "done",
	error: null,
	excerpt: null,
};

function rowWith(attempts: unknown[]): DeliveryRow {
	const nothing = Object.fromEntries(COLUMNS.map((column) => [column, null]));
	const known = { seq: 1, id: "dlv_1", event_id: "evt_1", subscription_id: "sub_1", spent: 0, busy_count: 0 };
	const done = { status: "succeeded", finished_at: 9, attempts: JSON.stringify(attempts) };
	return { ...nothing, ...known, ...done } as DeliveryRow;
}

test("usage, model version and request id survive storing", () => {
	const usage = { inputTokens: 1, outputTokens: null, seconds: 0.5 };
	const said = { ...attempt, usage, modelVersion: "2", requestId: "req_1" };
	const delivery = fromRow(rowWith([said]));
	expect(delivery.attempts).toEqual([said]);
	expect(fromRow(toRow(delivery)).attempts).toEqual([said]);
});

test("rows of a release that did not keep it are read", () => {
	const { state, attempts } = fromRow(rowWith([attempt]));
	expect(state.phase).toBe("succeeded");
	expect(attempts).toEqual([attempt]);
});

test("unknown or additional values of a newer release do not make the delivery unreadable", () => {
	const newer = { ...attempt, usage: { input: 1 }, modelVersion: 2, requestId: "req_1", cost: 5 };
	const { state, attempts } = fromRow(rowWith([newer]));
	expect(state.phase).toBe("succeeded");
	expect(attempts).toEqual([{ ...attempt, requestId: "req_1" }]);
});
