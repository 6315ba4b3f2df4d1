import { expect, test } from "vitest";
import { inputOf, json, read, request } from "../captures.ts";

const URL = "queue:JOBS";
const to = { url: URL, model: null };

test("a message is the event, as structured CloudEvents JSON", () => {
	const made = request("queue", inputOf(json('{"id":9007199254740993}')), to);
	expect(made).toMatchObject({ method: "POST", url: URL, headers: { "content-type": "application/json" } });
	expect("misfit" in made ? "" : made.body).toContain('"data":{"id":9007199254740993}');
});

test.each([
	// As the binding writes it.
	['{"a" : 1.50}', "application/json", '{"a":1.5}'],
	['{"a":9007199254740993}', "application/json", '{"a":9007199254740993}'],
	['{"a":1e20}', "application/json", '{"a":100000000000000000000}'],
	['"\\ufeffa"', "text/plain; charset=utf-8", "\ufeffa"],
	["[1]", "application/json", "[1]"],
	["null", "application/json", "null"],
	['"plain \\u00fc"', "text/plain; charset=utf-8", "plain ü"],
])("the transform's value %s", (transformed, type, body) => {
	expect(request("queue", inputOf(null, transformed), to)).toEqual({
		method: "POST",
		url: URL,
		headers: { "content-type": type },
		body,
	});
});

function textOf(bytes: number) {
	return request("queue", inputOf(null, JSON.stringify("é".repeat(bytes / 2))), to);
}

test("a message above Cloudflare's limit is not sent, by its bytes", () => {
	expect(textOf(127_000)).toHaveProperty("body");
	expect(textOf(127_002)).toEqual({
		misfit: "the message has 127002 bytes; a queue accepts at most 127000",
	});
});

const list = (item: string, count: number) =>
	request("queue", inputOf(null, `[${Array.from({ length: count }, () => item).join(",")}]`), to);

test("a value is measured as the binding writes it", () => {
	// 40,001 bytes become more than fit.
	expect(list("1e20", 8_000)).toMatchObject({ misfit: expect.stringContaining("has 176001 bytes") });
	// 220,001 bytes become 20,001.
	expect(list("1.0000000000000000000", 10_000)).toMatchObject({
		headers: { "content-type": "application/json" },
	});
});

test("there is no output; a refusal says what was wrong", () => {
	expect(read("queue", { status: 204 })).toMatchObject({ output: null, error: null, class: null });
	const headers = { "content-type": "text/plain; charset=utf-8" };
	expect(read("queue", { status: 429, headers, body: "Too Many Requests" })).toMatchObject({
		class: null,
		error: "Too Many Requests",
	});
});
