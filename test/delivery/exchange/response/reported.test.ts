import { describe, expect, test } from "vitest";
import { reportedBy } from "../../../../src/delivery/exchange/response/reported.ts";
import type { AttemptResult } from "../../../../src/delivery/rules/attempt.ts";
import type { Reading } from "../../../../src/models/exchange.ts";
import { reading } from "../../../../src/models/responses/reading.ts";

const TOKEN = "a-token-of-its-own";

function responded(headers: Record<string, string> = {}): AttemptResult {
	return { kind: "response", status: 500, headers, body: new Uint8Array(), failure: null, durationMs: 1 };
}

function reported(said: Partial<Reading> | null, result = responded()) {
	return reportedBy(said && reading(said), result, [TOKEN]);
}

const usage = { inputTokens: 1, outputTokens: null, seconds: null };

test("values that the protocol reads are kept", () => {
	const said = { usage, modelVersion: "2", requestId: "req_1" };
	expect(reported(said)).toEqual(said);
	expect(reported({})).toEqual({});
});

test("the request id of the headers counts where the protocol reads none, or was not asked", () => {
	const result = responded({ "x-request-id": "abc" });
	expect(reported({ requestId: "own" }, result)).toEqual({ requestId: "own" });
	expect(reported({ usage }, result)).toEqual({ usage, requestId: "abc" });
	expect(reported(null, result)).toEqual({ requestId: "abc" });
	const none = { kind: "no_response", error: "timeout", message: "", durationMs: 1 } as const;
	expect(reported(null, none)).toEqual({});
});

describe("values that cannot be shown or stored", () => {
	test("credentials are hidden", () => {
		expect(reported({ requestId: `r-${TOKEN}`, modelVersion: TOKEN })).toEqual({
			requestId: "r-***",
			modelVersion: "***",
		});
	});

	test.each([
		["too long", "x".repeat(257)],
		["nothing but space", "  "],
		["half a character", "\ud800"],
	])("%s is left out", (_what, text) => {
		expect(reported({ requestId: text, modelVersion: text })).toEqual({});
	});

	test("the longest is kept, and controls become spaces", () => {
		expect(reported({ requestId: "x".repeat(256) })).toEqual({ requestId: "x".repeat(256) });
		expect(reported({ modelVersion: "a\u0000b" })).toEqual({ modelVersion: "a b" });
	});
});
