import { expect, test } from "vitest";
import { DEAD_REASONS, type Attempt } from "../../../src/delivery/records.ts";
import { deadDetail } from "../../../src/delivery/rules/dead-detail.ts";

function attempt(number: number, more: Partial<Attempt>): Attempt {
	return {
		number,
		at: 0,
		durationMs: 1,
		statusCode: null,
		outcome: "error",
		error: null,
		excerpt: null,
		...more,
	};
}

test.each([
	[
		"exhausted",
		[attempt(8, { statusCode: 503, excerpt: "no\nworker" })],
		"8 attempts failed; the last: 503 no worker.",
	],
	["exhausted", [attempt(1, { error: "connection refused" })], "1 attempt failed: connection refused."],
	["exhausted", [attempt(2, { statusCode: 500 })], "2 attempts failed; the last: 500."],
	["exhausted", [attempt(2, {})], "2 attempts failed; the last: no response."],
	[
		"exhausted",
		[
			attempt(3, {
				statusCode: 202,
				job: { at: 1, by: "poll", outcome: "error", error: "the job crashed." },
			}),
		],
		"3 attempts failed; the last: 202 the job crashed.",
	],
	[
		"exhausted",
		[attempt(1, { statusCode: 502, error: "HTTP 502 from upstream" })],
		"1 attempt failed: HTTP 502 from upstream.",
	],
	["gone", [attempt(1, { statusCode: 410 })], /permanently gone, and has been disabled: 410\.$/],
	["rejected", [attempt(1, { statusCode: 422, error: "no such field" })], /: 422 no such field\.$/],
	["gone", [], /no attempt is stored/],
] as const)("%s: %j", (reason, attempts, said) => {
	expect(deadDetail(reason, attempts)).toEqual(typeof said === "string" ? said : expect.stringMatching(said));
});

test("a long message of the endpoint is cut", () => {
	const said = deadDetail("exhausted", [attempt(1, { excerpt: "x".repeat(5_000) })]);
	expect(said?.length).toBeLessThan(300);
});

test("other reasons say it when they arise", () => {
	const told = DEAD_REASONS.filter((reason) => deadDetail(reason, []) !== null);
	expect(told).toEqual(["exhausted", "rejected", "gone"]);
});
