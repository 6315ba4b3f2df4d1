import { describe, expect, test } from "vitest";
import { headersFit, refuseHeader } from "../../../../src/delivery/exchange/request/header-guard.ts";

describe("a custom header", () => {
	test.each([
		["x-scale-up-timeout", "600"],
		["Authorization", "Key abc"],
		["Seldon-Model", "ocr.pipeline"],
		["user-agent", "acme/1"],
		["accept", "application/json"],
		["accept-encoding", "identity"],
		["Prefer", "respond-async"],
		["x-empty", ""],
	])("%s: %s is taken", (name, value) => {
		expect(refuseHeader(name, value)).toBeNull();
	});

	test.each([
		["Host", "set by the HTTP client"],
		["content-length", "set by the HTTP client"],
		["Transfer-Encoding", "set by the HTTP client"],
		["connection", "set by the HTTP client"],
		["Content-Encoding", "sends it as it is"],
		["webhook-id", "begins with webhook-"],
		["Webhook-Signature", "begins with webhook-"],
		["CF-Connecting-IP", "begins with cf-"],
		["sluice-attempt", "begins with sluice-"],
		["ce-type", "begins with ce-"],
		["", "not a header name"],
		["x y", "not a header name"],
		["x:y", "not a header name"],
		["x\r\ny", "not a header name"],
		["x-ü", "not a header name"],
	])("%j is refused: %s", (name, reason) => {
		expect(refuseHeader(name, "1")).toContain(reason);
	});

	test.each(["a\r\nx-injected: 1", "a\0", "Zoë", "a\u007f"])("the value %j is refused", (value) => {
		expect(refuseHeader("x-a", value)).toContain("printable ASCII");
	});
});

test("all of them together hold at most 4096 bytes", () => {
	expect(headersFit({})).toBe(true);
	expect(headersFit({ "x-a": "1".repeat(2_000), "x-b": "1".repeat(2_090) })).toBe(true);
	expect(headersFit({ "x-a": "1".repeat(2_000), "x-b": "1".repeat(2_091) })).toBe(false);
});
