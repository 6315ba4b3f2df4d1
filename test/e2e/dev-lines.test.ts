/** How `npm run dev` formats the router's log lines. docs/readme.test.ts shows that it prints them. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { jsonLine, readableLine } from "../../scripts/loglines.ts";

const IDS = { delivery_id: "dlv_1", event_id: "evt_1", subscription: "count-words", endpoint: "counter@1" };
const NEXT = new Date(2026, 10, 25, 19, 41, 46).toISOString();

beforeAll(() => void vi.useFakeTimers({ now: new Date(2026, 10, 25, 19, 41, 40) }));
afterAll(() => void vi.useRealTimers());

describe("one line for each", () => {
	test.each([
		[
			"an attempt that succeeded",
			{
				event: "delivery.attempted",
				...IDS,
				attempt: 1,
				outcome: "done",
				status_code: 200,
				error: null,
				duration_ms: 9,
				status: "succeeded",
				reason: null,
				next_attempt_at: null,
			},
			"✔ count-words → counter@1  200  9 ms",
		],
		[
			"an attempt whose result event is still to be published",
			{
				event: "delivery.attempted",
				...IDS,
				attempt: 1,
				outcome: "done",
				status_code: 200,
				error: null,
				duration_ms: 9,
				status: "publishing",
				next_attempt_at: NEXT,
			},
			"✔ count-words → counter@1  200  9 ms",
		],
		[
			"a busy endpoint",
			{
				event: "delivery.attempted",
				...IDS,
				attempt: 1,
				outcome: "busy",
				status_code: 503,
				error: null,
				duration_ms: 2,
				status: "pending",
				next_attempt_at: NEXT,
			},
			"◌ count-words → counter@1  503  2 ms  busy, retry at 19:41:46",
		],
		[
			"a busy endpoint, with a delivery that is due but held back",
			{
				event: "delivery.attempted",
				...IDS,
				attempt: 1,
				outcome: "busy",
				status_code: null,
				error: "connection_lost",
				duration_ms: 2,
				status: "pending",
				next_attempt_at: new Date(2026, 10, 25, 19, 41, 40).toISOString(),
			},
			"◌ count-words → counter@1  2 ms  connection_lost  busy, retry when the endpoint allows it",
		],
		[
			"a job that was accepted",
			{
				event: "delivery.attempted",
				...IDS,
				attempt: 1,
				outcome: "accepted",
				status_code: 202,
				error: null,
				duration_ms: 2,
				status: "waiting",
				next_attempt_at: null,
			},
			"◌ count-words → counter@1  202  2 ms  waiting for the output",
		],
		[
			"a failure without a response, at a later attempt",
			{
				event: "delivery.attempted",
				...IDS,
				attempt: 3,
				outcome: "error",
				status_code: null,
				error: "timeout",
				duration_ms: 60000,
				status: "pending",
				next_attempt_at: NEXT,
			},
			"✘ count-words → counter@1  60000 ms  attempt 3  timeout  error, retry at 19:41:46",
		],
		[
			"an attempt after which the delivery is dead",
			{
				event: "delivery.attempted",
				...IDS,
				attempt: 1,
				outcome: "bad_input",
				status_code: 400,
				error: null,
				duration_ms: 3,
				status: "dead",
				reason: "rejected",
				next_attempt_at: null,
			},
			"✘ count-words → counter@1  400  3 ms  dead: rejected",
		],
		[
			"a published result event",
			{
				event: "delivery.moved",
				...IDS,
				status: "succeeded",
				reason: null,
				next_attempt_at: null,
				result_event_id: "evt_2",
			},
			"✔ count-words → counter@1  published evt_2",
		],
		[
			"a transform that failed",
			{
				event: "delivery.moved",
				...IDS,
				status: "dead",
				reason: "transform_failed",
				detail: "no value",
				next_attempt_at: null,
			},
			"✘ count-words → counter@1  dead: transform_failed (no value)",
		],
		[
			"an endpoint that is deleted",
			{
				event: "delivery.moved",
				...IDS,
				endpoint: null,
				status: "canceled",
				reason: null,
				next_attempt_at: null,
			},
			"✘ count-words → ?  canceled",
		],
		[
			"routing",
			{
				event: "router.batch",
				messages: 1,
				events: 1,
				new_events: 1,
				deliveries: 2,
				event_ids: ["evt_1"],
				duration_ms: 4,
			},
			"→ 1 event, 2 deliveries  evt_1",
		],
		[
			"routing that has to be repeated",
			{
				event: "router.batch",
				messages: 2,
				failed: 1,
				events: 1,
				new_events: 1,
				deliveries: 1,
				event_ids: [],
				duration_ms: 4,
			},
			"✘ 1 event, 1 delivery, 1 message failed and will be retried",
		],
		[
			"any other line",
			{ event: "endpoint.stopped", endpoint: "counter@1", reason: "gone" },
			"endpoint.stopped      endpoint=counter@1 reason=gone",
		],
	])("%s", (_, entry, text) => {
		expect(readableLine(JSON.stringify(entry))).toMatch(/^\d\d:\d\d:\d\d {2}/);
		expect(readableLine(JSON.stringify(entry))?.slice(10)).toBe(text);
	});

	test("a request, as wrangler logs it", () => {
		expect(readableLine("[wrangler:info] POST /in/documents 202 Accepted (12ms)")?.slice(10)).toBe(
			"POST 202              /in/documents  12 ms",
		);
	});
});

test("a long line is wrapped at words, and continues below the start of its text", () => {
	const entry = { event: "delivery.attempted", ...IDS, attempt: 1, outcome: "error", duration_ms: 2 };
	const text = readableLine(
		JSON.stringify({ ...entry, status: "pending", error: "The connection was refused." }),
		48,
	);
	expect(text?.slice(10).split("\n")).toEqual([
		"✘ count-words → counter@1  2 ms  The",
		`${" ".repeat(10)}connection was refused.  error`,
	]);
});

test("lines of other programs are not wrapped", () => {
	const line = `    at main (${"x".repeat(80)}) and more`;
	expect(readableLine(line, 40)).toBe(line);
});

describe("--json", () => {
	test.each([
		['{"event":"router.batch"}', '{"event":"router.batch"}'],
		['✘ [ERROR] {"event":"api.failed"}', '{"event":"api.failed"}'],
		["[wrangler:info] POST /in/documents 202 Accepted (12ms)", null],
		["⎔ Reloading local server...", null],
		["{ no: JSON }", null],
	])("%s", (line, json) => {
		expect(jsonLine(line)).toBe(json);
	});
});
