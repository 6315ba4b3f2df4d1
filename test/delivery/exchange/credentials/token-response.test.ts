import { describe, expect, test } from "vitest";
import { readToken } from "../../../../src/delivery/exchange/credentials/token-response.ts";
import type { AttemptResult } from "../../../../src/delivery/rules/attempt.ts";
import { classify } from "../../../../src/delivery/rules/classify.ts";

const NOW = 1_800_000_000_000;

function responded(status: number, body: unknown, headers: Record<string, string> = {}): AttemptResult {
	const text = typeof body === "string" ? body : JSON.stringify(body);
	return { kind: "response", status, headers, body: Buffer.from(text), failure: null, durationMs: 5 };
}

describe("a token", () => {
	test.each<[object, number]>([
		[{ access_token: "t", token_type: "Bearer", expires_in: 3600 }, 3_540],
		[{ access_token: "t", expires_in: "3600" }, 3_540],
		[{ access_token: "t" }, 240],
		[{ access_token: "t", expires_in: null }, 240],
		[{ access_token: "t", expires_in: "soon" }, 240],
		[{ access_token: "t", expires_in: 20 }, 10],
		[{ access_token: "t", expires_in: 0 }, 0],
		[{ access_token: "t", expires_in: 1e12 }, 86_340],
	])("%j is good for %s s", (body, seconds) => {
		expect(readToken(responded(200, body), NOW)).toEqual({
			ok: true,
			token: { value: "t", freshUntil: NOW + 1000 * seconds },
		});
	});
});

describe("no token", () => {
	test.each<[number, unknown, string, string, RegExp]>([
		[401, { error: "invalid_client" }, "token_refused", "unauthorized", /responded 401: invalid_client$/],
		[
			400,
			{ error: "invalid_client", error_description: "Unknown client" },
			"token_refused",
			"unauthorized",
			/invalid_client: Unknown client$/,
		],
		[400, { error: "invalid_scope" }, "token_refused", "unauthorized", /invalid_scope/],
		[403, "Forbidden", "token_refused", "unauthorized", /responded 403$/],
		[404, "", "token_failed", "error", /404/],
		[500, "", "token_failed", "error", /500/],
		[302, "", "token_failed", "error", /302/],
		[503, "", "token_busy", "busy", /503/],
		[429, { error: "slow_down" }, "token_busy", "busy", /429: slow_down/],
		[200, "<html>", "token_failed", "error", /without an access_token/],
		[200, {}, "token_failed", "error", /without an access_token/],
		[200, { access_token: "" }, "token_failed", "error", /without an access_token/],
		[200, { access_token: "a\nb" }, "token_failed", "error", /without an access_token/],
		[200, { access_token: "t", token_type: "mac" }, "token_failed", "error", /type mac instead of Bearer/],
	])("%s %j", (status, body, error, outcome, message) => {
		const asked = readToken(responded(status, body), NOW);
		if (asked.ok) throw new Error("a token");
		expect(asked.result).toMatchObject({ kind: "no_response", error, durationMs: 5 });
		expect(asked.result.message).toMatch(message);
		const rules = {
			statuses: [],
			busyStatuses: [],
			coldStart: false,
			completesLater: false,
			isSilent: true,
			now: NOW,
		};
		expect(classify(asked.result, rules).outcome).toBe(outcome);
	});

	test("a network that fails is an error, even while nothing succeeds at the endpoint", () => {
		const lost = { kind: "no_response", error: "connection_lost", message: "lost", durationMs: 5 } as const;
		const asked = readToken(lost, NOW);
		expect(asked).toMatchObject({
			result: { error: "token_failed", message: "The token endpoint: connection_lost: lost" },
		});
	});

	test("a busy one says how long to wait", () => {
		const asked = readToken(responded(503, "", { "retry-after": "7" }), NOW);
		if (asked.ok) throw new Error("a token");
		const rules = {
			statuses: [],
			busyStatuses: [],
			coldStart: false,
			completesLater: false,
			isSilent: true,
			now: NOW,
		};
		expect(classify(asked.result, rules)).toMatchObject({ outcome: "busy", retryAfterMs: 7_000 });
	});

	test("a truncated response contains no token", () => {
		const cut = { ...responded(200, '{"access_token":"t"}'), failure: { error: "cut_off", message: "cut" } };
		expect(readToken(cut as AttemptResult, NOW)).toMatchObject({
			ok: false,
			result: { error: "token_failed" },
		});
	});
});
