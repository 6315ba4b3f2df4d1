import { describe, expect, test } from "vitest";
import type { AttemptResult, BodyError, NetworkError, Outcome } from "../../../src/delivery/rules/attempt.ts";
import {
	type ClassifyRules,
	type Said,
	type Verdict,
	classify,
} from "../../../src/delivery/rules/classify.ts";

const plain: ClassifyRules = {
	statuses: [],
	busyStatuses: [],
	coldStart: false,
	completesLater: false,
	isSilent: false,
	now: Date.UTC(2026, 9, 31, 12),
};
const starting = { ...plain, coldStart: true };

function response(status: number, error: BodyError | null = null): AttemptResult {
	const failure = error && { error, message: "…" };
	return { kind: "response", status, headers: {}, body: new Uint8Array(), failure, durationMs: 1 };
}

function failure(error: NetworkError): AttemptResult {
	return { kind: "no_response", error, message: "…", durationMs: 1 };
}

const outcomeOf = (result: AttemptResult, rules = plain): Outcome => classify(result, rules).outcome;

describe("a status without rules of the endpoint", () => {
	test.each<[Outcome, number[]]>([
		["done", [200, 201, 202, 203, 204, 205, 206, 226, 299]],
		["busy", [408, 425, 429, 503, 521, 523]],
		[
			"bad_input",
			[400, 405, 406, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 426, 428, 431, 451, 499],
		],
		["unauthorized", [401, 403, 407]],
		["quota", [402]],
		["gone", [410]],
		["error", [404, 409]],
		["error", [500, 501, 502, 504, 505, 507, 508, 511, 520, 522, 524, 525, 526, 530, 599]],
		["error", [100, 101, 103, 300, 301, 302, 303, 304, 307, 308, 399]],
		["error", [0, 99, 600, 999]],
	])("means %s for %j", (outcome, statuses) => {
		expect(statuses.map((status) => outcomeOf(response(status)))).toEqual(statuses.map(() => outcome));
	});

	test("has an outcome, whatever the number", () => {
		const outcomes = Array.from({ length: 1000 }, (_, status) => outcomeOf(response(status)));
		expect(outcomes.filter((outcome) => outcome === undefined)).toEqual([]);
	});
});

/** Exhaustive, so that a new failure has to be put somewhere. */
const BODY_ERRORS = Object.keys({
	timeout: 0,
	cut_off: 0,
	too_large: 0,
	undecodable: 0,
	network: 0,
} satisfies Record<BodyError, 0>) as BodyError[];
const ALL_NETWORK_ERRORS = Object.keys({
	timeout: 0,
	connection_lost: 0,
	unreachable: 0,
	blocked_url: 0,
	no_binding: 0,
	no_credentials: 0,
	token_refused: 0,
	token_busy: 0,
	token_failed: 0,
	internal: 0,
	lost: 0,
	network: 0,
} satisfies Record<NetworkError, 0>) as NetworkError[];
/** Of those, what speaks for the credentials of the endpoint. */
const WITHOUT_CREDENTIALS: readonly NetworkError[] = ["no_credentials", "token_refused", "token_busy"];
const NETWORK_ERRORS = ALL_NETWORK_ERRORS.filter((error) => !WITHOUT_CREDENTIALS.includes(error));

describe("a body that cannot be read", () => {
	test.each(BODY_ERRORS)("changes nothing outside 2xx: %s", (error) => {
		for (const rules of [
			plain,
			starting,
			{ ...plain, statuses: [429, 422] },
			{ ...plain, busyStatuses: [500] },
		]) {
			for (let status = 0; status < 1000; status++) {
				if (status >= 200 && status < 300) continue;
				expect(classify(response(status, error), rules)).toEqual(classify(response(status), rules));
			}
		}
	});

	test.each<[BodyError, Outcome, "none" | "too_large"]>([
		["too_large", "done", "too_large"],
		["timeout", "error", "none"],
		["cut_off", "error", "none"],
		["undecodable", "error", "none"],
		["network", "error", "none"],
	])("with 2xx: %s is %s, and the result %s", (error, outcome, result) => {
		for (const status of [200, 201, 203, 206, 299]) {
			expect(classify(response(status, error), plain)).toMatchObject({ outcome, result });
		}
	});

	test.each([202, 204])("with %i takes nothing away, as there would be none", (status) => {
		for (const error of [null, ...BODY_ERRORS]) {
			expect(classify(response(status, error), plain)).toMatchObject({ outcome: "done", result: "none" });
		}
	});

	test("leaves what Retry-After asks for", () => {
		for (const error of [null, ...BODY_ERRORS]) {
			for (const status of [302, 404, 408, 429, 500, 503]) {
				const result = { ...response(status, error), headers: { "retry-after": "120" } };
				expect(classify(result, plain).retryAfterMs).toBe(120_000);
			}
		}
	});
});

test("a complete 2xx has a result, and no other status has one", () => {
	const withResult = Array.from({ length: 1000 }, (_, status) => status).filter(
		(status) => classify(response(status), plain).result === "body",
	);
	expect(withResult).toEqual(
		Array.from({ length: 100 }, (_, index) => 200 + index).filter(
			(status) => status !== 202 && status !== 204,
		),
	);
});

describe("a failure without a response", () => {
	test.each(NETWORK_ERRORS)("is an error, and nothing was asked for: %s", (error) => {
		expect(classify(failure(error), plain)).toEqual({
			outcome: "error",
			scope: "request",
			retryAfterMs: null,
			result: "none",
		});
	});

	test.each(NETWORK_ERRORS.filter((error) => error !== "connection_lost"))(
		"is an error while starting, too: %s",
		(error) => {
			expect(outcomeOf(failure(error), starting)).toBe("error");
		},
	);
});

describe("a request that was not made for want of credentials", () => {
	test.each<[NetworkError, Outcome]>([
		["no_credentials", "unauthorized"],
		["token_refused", "unauthorized"],
		["token_busy", "busy"],
	])("%s: %s", (error, outcome) => {
		const scope = "request";
		for (const rules of [plain, starting]) {
			expect(classify(failure(error), rules)).toMatchObject({ outcome, scope, retryAfterMs: null });
			const asking = { kind: "no_response", error, message: "", durationMs: 0, retryAfterMs: 7 } as const;
			expect(classify(asking, rules)).toMatchObject({ retryAfterMs: 7 });
		}
	});
});

describe("while the endpoint may be starting", () => {
	test("a lost connection means that nothing is listening yet", () => {
		expect(outcomeOf(failure("connection_lost"), starting)).toBe("busy");
	});

	test.each([502, 504])("the gateway's %i means the same", (status) => {
		expect(outcomeOf(response(status), starting)).toBe("busy");
		expect(outcomeOf(response(status), plain)).toBe("error");
	});

	test.each([500, 501, 505, 520, 522, 530])("%i is still an error", (status) => {
		expect(outcomeOf(response(status), starting)).toBe("error");
	});
});

describe("statuses that the endpoint names", () => {
	test("make an error of what the table calls something else", () => {
		const rules = { ...plain, statuses: [200, 400, 401, 410, 429] };
		expect(rules.statuses.map((status) => outcomeOf(response(status), rules))).toEqual(
			Array(5).fill("error"),
		);
		expect(outcomeOf(response(422), rules)).toBe("bad_input");
	});

	test("make busy of what the table calls something else", () => {
		const rules = { ...plain, busyStatuses: [200, 409, 500] };
		expect(rules.busyStatuses.map((status) => outcomeOf(response(status), rules))).toEqual(
			Array(3).fill("busy"),
		);
		expect(outcomeOf(response(501), rules)).toBe("error");
	});

	test("win over the cold start, and busy wins over error", () => {
		expect(outcomeOf(response(502), { ...starting, statuses: [502] })).toBe("error");
		expect(outcomeOf(response(409), { ...plain, statuses: [409], busyStatuses: [409] })).toBe("busy");
	});
});

describe("the scope of an outcome", () => {
	test.each<[string, AttemptResult, Partial<ClassifyRules>, Outcome, "request" | "endpoint"]>([
		[
			"a lost connection while nothing succeeds",
			failure("connection_lost"),
			{ isSilent: true },
			"busy",
			"endpoint",
		],
		["a lost connection beside a success", failure("connection_lost"), {}, "error", "request"],
		[
			"a lost connection during a cold start",
			failure("connection_lost"),
			{ coldStart: true },
			"busy",
			"endpoint",
		],
		["a timeout while nothing succeeds", failure("timeout"), { isSilent: true }, "error", "request"],
		["Cloudflare's word for a refused connection", response(521), {}, "busy", "endpoint"],
		["Cloudflare's word for no way", response(523), {}, "busy", "endpoint"],
		["a gateway during a cold start", response(502), { coldStart: true }, "busy", "endpoint"],
		["a gateway at any other time", response(502), {}, "error", "request"],
		["503", response(503), { isSilent: true }, "busy", "request"],
		["a status that the endpoint calls an error", response(521), { statuses: [521] }, "error", "request"],
	])("%s", (_, result, rules, outcome, scope) => {
		expect(classify(result, { ...plain, ...rules })).toMatchObject({ outcome, scope });
	});
});

describe("the reading of the protocol", () => {
	const nothing: Said = { class: null, scope: null, retryAfterMs: null };
	const busy: Said = { ...nothing, class: "busy", scope: "request" };
	const loading: Said = { ...busy, scope: "endpoint" };

	test.each<[string, number, Said, Partial<ClassifyRules>, Partial<Verdict>]>([
		["leaves the rest to the table", 404, nothing, {}, { outcome: "error", scope: "request" }],
		["refines a status", 409, busy, {}, { outcome: "busy", scope: "request" }],
		["may speak for the endpoint", 400, loading, {}, { outcome: "busy", scope: "endpoint" }],
		[
			"makes an error of a 2xx",
			200,
			{ ...nothing, class: "error" },
			{},
			{ outcome: "error", result: "none" },
		],
		["makes a wait of a 2xx", 202, busy, {}, { outcome: "busy", result: "none" }],
		["counts for less than the endpoint's errors", 409, busy, { statuses: [409] }, { outcome: "error" }],
		[
			"counts for less than what the endpoint calls busy",
			501,
			{ ...nothing, class: "bad_input" },
			{ busyStatuses: [501] },
			{ outcome: "busy", scope: "request" },
		],
		[
			"speaks for nobody where it is not what counts",
			409,
			loading,
			{ statuses: [409] },
			{ scope: "request" },
		],
		[
			"counts for more than a cold start",
			504,
			{ ...nothing, class: "error" },
			starting,
			{ outcome: "error" },
		],
	])("%s: %s", (_what, status, said, rules, verdict) => {
		expect(classify(response(status), { ...plain, ...rules }, said)).toMatchObject(verdict);
	});

	test("of a wait counts where no header does, and for a day at most", () => {
		const said = { ...busy, retryAfterMs: 20_000 };
		const waits = (headers: Record<string, string>, retryAfterMs = said.retryAfterMs) =>
			classify({ ...response(503), headers } as AttemptResult, plain, { ...said, retryAfterMs }).retryAfterMs;
		expect(waits({})).toBe(20_000);
		expect(waits({ "retry-after": "5" })).toBe(5000);
		expect(waits({}, 1e12)).toBe(86_400_000);
	});
});
