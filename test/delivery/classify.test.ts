import { describe, expect, test } from "vitest";
import type { AttemptResult, NetworkError, Outcome } from "../../src/delivery/attempt.ts";
import { classify } from "../../src/delivery/classify.ts";

const plain = { statuses: [], busyStatuses: [], coldStart: false };
const starting = { ...plain, coldStart: true };

function response(status: number): AttemptResult {
	return { kind: "response", status, headers: {}, body: new Uint8Array(), durationMs: 1 };
}

function failure(error: NetworkError): AttemptResult {
	return { kind: "no_response", error, message: "…", durationMs: 1 };
}

describe("a status without rules of the endpoint", () => {
	test.each<[Outcome, number[]]>([
		["done", [200, 201, 202, 203, 204, 205, 206, 226, 299]],
		["busy", [408, 425, 429, 503]],
		[
			"bad_input",
			[400, 405, 406, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 426, 428, 431, 451, 499],
		],
		["unauthorized", [401, 403, 407]],
		["quota", [402]],
		["gone", [410]],
		["error", [404, 409]],
		["error", [500, 501, 502, 504, 505, 507, 508, 511, 520, 521, 522, 523, 525, 526, 530, 599]],
		["error", [100, 101, 103, 300, 301, 302, 303, 304, 307, 308, 399]],
		["error", [0, 99, 600, 999]],
	])("means %s for %j", (outcome, statuses) => {
		expect(statuses.map((status) => classify(response(status), plain))).toEqual(statuses.map(() => outcome));
	});

	test("has an outcome, whatever the number", () => {
		const outcomes = Array.from({ length: 1000 }, (_, status) => classify(response(status), plain));
		expect(outcomes.filter((outcome) => outcome === undefined)).toEqual([]);
	});
});

describe("a failure without a response", () => {
	const errors: NetworkError[] = [
		"timeout",
		"connection_lost",
		"unreachable",
		"cut_off",
		"too_large",
		"blocked_url",
		"network",
	];
	test.each(errors)("is an error: %s", (error) => {
		expect(classify(failure(error), plain)).toBe("error");
	});

	test.each(errors.filter((error) => error !== "connection_lost"))(
		"is an error while starting, too: %s",
		(error) => {
			expect(classify(failure(error), starting)).toBe("error");
		},
	);
});

describe("while the endpoint may be starting", () => {
	test("a lost connection means that nobody listens yet", () => {
		expect(classify(failure("connection_lost"), starting)).toBe("busy");
	});

	test.each([502, 504, 521])("the gateway's %i means the same", (status) => {
		expect(classify(response(status), starting)).toBe("busy");
		expect(classify(response(status), plain)).toBe("error");
	});

	test.each([500, 501, 505, 520, 522, 530])("%i is still an error", (status) => {
		expect(classify(response(status), starting)).toBe("error");
	});
});

describe("statuses that the endpoint names", () => {
	test("make an error of what the table calls something else", () => {
		const rules = { ...plain, statuses: [200, 400, 401, 410, 429] };
		expect(rules.statuses.map((status) => classify(response(status), rules))).toEqual(Array(5).fill("error"));
		expect(classify(response(422), rules)).toBe("bad_input");
	});

	test("make busy of what the table calls something else", () => {
		const rules = { ...plain, busyStatuses: [200, 409, 500] };
		expect(rules.busyStatuses.map((status) => classify(response(status), rules))).toEqual(
			Array(3).fill("busy"),
		);
		expect(classify(response(501), rules)).toBe("error");
	});

	test("win over the cold start, and busy wins over error", () => {
		expect(classify(response(502), { ...starting, statuses: [502] })).toBe("error");
		expect(classify(response(409), { ...plain, statuses: [409], busyStatuses: [409] })).toBe("busy");
	});
});
