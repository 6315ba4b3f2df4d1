import { expect, test } from "vitest";
import type { Attempt, Delivery, TracedEvent } from "../../../demo/api.ts";
import { treeLines } from "../../../demo/tree.ts";

const AT = "2026-11-26T10:00:00.000Z";
const PROTOCOLS = new Map([
	["ocr@1", "open-inference"],
	["slow@1", "http"],
]);

const ROOT: TracedEvent = {
	id: "evt_1",
	type: "scan.stored",
	deliveries: [
		{ id: "dlv_slow", endpoint: "slow@1", result_event: null },
		{
			id: "dlv_ocr",
			endpoint: "ocr@1",
			result_event: { id: "evt_2", type: "scan.text", deliveries: [] },
		},
	],
};

test("deliveries are the branches, in the order of their endpoints, and their result events hang on them", () => {
	expect(linesAt(120, [attempt({})], [attempt({})])).toEqual([
		" scan.stored  evt_1",
		" ├─ ocr@1  open-inference  attempt 1: 200 in 12 ms  dlv_ocr",
		" │  scan.text  evt_2",
		" └─ slow@1  http  attempt 1: 200 in 12 ms  dlv_slow",
	]);
});

test("a line that is too long continues below its branch", () => {
	expect(linesAt(36, [attempt({})], [attempt({})])).toEqual([
		" scan.stored  evt_1",
		" ├─ ocr@1  open-inference  attempt",
		" │    1: 200 in 12 ms  dlv_ocr",
		" │  scan.text  evt_2",
		" └─ slow@1  http  attempt 1: 200 in",
		"      12 ms  dlv_slow",
	]);
});

test("an attempt says how it ended, and its job", () => {
	const ended_at = "2026-11-26T10:00:01.500Z";
	const job = { ended_at, by: "callback", outcome: "done", error: null };
	const slow = [
		attempt({ status_code: null, error: "timeout: no response" }),
		attempt({ number: 2, status_code: 202, job }),
	];
	expect(linesAt(200, [attempt({})], slow).at(-1)).toBe(
		" └─ slow@1  http  attempt 1: timeout: no response; attempt 2: 202 in 12 ms, output by callback after 1.50 s  dlv_slow",
	);
});

function linesAt(columns: number, ocr: Attempt[], slow: Attempt[]): string[] {
	const deliveries = [delivery("dlv_ocr", ocr), delivery("dlv_slow", slow)];
	return treeLines(ROOT, { deliveries, protocols: PROTOCOLS, columns });
}

function attempt(fields: Partial<Attempt>): Attempt {
	return {
		number: 1,
		at: AT,
		duration_ms: 12,
		status_code: 200,
		outcome: "done",
		error: null,
		job: null,
		...fields,
	};
}

function delivery(id: string, attempts: Attempt[]): Delivery {
	const attempt_count = attempts.length;
	return { id, event_id: "evt_1", endpoint: "", status: "succeeded", reason: null, attempt_count, attempts };
}
