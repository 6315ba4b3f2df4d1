import { expect, test } from "vitest";
import { isBare, originOf, under } from "../../../src/models/requests/address.ts";

test.each([
	["https://a.example:8443/x?y", "https://a.example:8443"],
	["https://a.example", "https://a.example"],
	["vpc:OCR/x?y", "vpc:OCR"],
	["vpc:OCR?y", "vpc:OCR"],
	["queue:JOBS", "queue:JOBS"],
	["workers-ai:@cf/meta/llama-3.1-8b-instruct", "workers-ai:@cf/meta/llama-3.1-8b-instruct"],
	["nothing", ""],
])("the origin of %s", (url, origin) => {
	expect(originOf(url)).toBe(origin);
});

test.each([
	["https://a.example/", true],
	["https://a.example/v1", false],
	["vpc:OCR", true],
	["vpc:OCR/", true],
	["vpc:OCR/v1", false],
])("%s names nothing behind its host: %s", (url, bare) => {
	expect(isBare(url)).toBe(bare);
});

test("a path goes behind that of a binding, and before its query", () => {
	expect(under("vpc:OCR/gateway/?lang=de", "/v1/x")).toBe("vpc:OCR/gateway/v1/x?lang=de");
	expect(under("vpc:OCR", "/v1/x")).toBe("vpc:OCR/v1/x");
});
