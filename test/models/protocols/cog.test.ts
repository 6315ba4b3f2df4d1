import { describe, expect, test } from "vitest";
import captures from "../captures/cog.json";
import { bodyFor, find, inputOf, json, outputText, read, readCapture, request, urlFor } from "../captures.ts";

const NAME = "cog";

test("the whole request, as Cog was sent it", () => {
	expect(
		request(NAME, inputOf(json('{"text":"hello"}')), { url: "https://a.example/", model: null }),
	).toEqual({
		method: captures["predict-put"].request.method,
		url: "https://a.example/predictions/dlv_1",
		headers: { "content-type": "application/json" },
		body: '{"input":{"text":"hello"}}',
	});
	expect(urlFor(NAME, "https://a.example/predictions?x=1", null)).toBe(
		"https://a.example/predictions/dlv_1?x=1",
	);
});

test("one request at a time, unless the endpoint says otherwise", () => {
	expect(find(NAME).defaults.maxConcurrency).toBe(1);
});

test.each([
	['{"text":"a","n":9007199254740993}', '{"input":{"text":"a","n":9007199254740993}}'],
	['{"input":{"text":"a"}}', '{"input":{"text":"a"}}'],
	['{"input":"a"}', '{"input":{"input":"a"}}'],
	// A publisher does not choose where the result goes.
	['{"input":{"a":1},"webhook":"https://evil.example","id":"x"}', '{"input":{"a":1}}'],
	['"a text"', "misfit: a prediction needs an object with one member for each input"],
	["[1]", "misfit: a prediction needs an object with one member for each input"],
	["null", "misfit: a prediction needs an object with one member for each input"],
])("the input %s", (text, body) => {
	expect(bodyFor(NAME, text)).toBe(body);
});

describe("a response", () => {
	test.each([
		["predict", 0.002590802],
		["predict-put", 0.003140508],
		["predict-put-again", 0.001320589],
	] as const)("%s is its output", (name, seconds) => {
		const said = readCapture(NAME, captures, name);
		expect(outputText(said)).toBe('"HELLO"');
		expect(said).toMatchObject({ class: null, error: null, usage: { seconds } });
	});

	test("keeps the digits and the form of its output", () => {
		const headers = { "content-type": "application/json" };
		const body = '{"status":"succeeded","input":{"output":1},"output":[ 9007199254740993, 1.50 ]}';
		expect(outputText(read(NAME, { status: 200, headers, body }))).toBe("[ 9007199254740993, 1.50 ]");
		expect(read(NAME, { status: 200, headers, body: '{"status":"succeeded"}' }).output).toBeNull();
		expect(outputText(read(NAME, { status: 200, headers, body: '{"status":"ok","text":"a"}' }))).toBe(
			'{"status":"ok","text":"a"}',
		);
		expect(outputText(read(NAME, { status: 200, headers: {}, body: "plain" }))).toBe("plain");
	});

	test.each([
		["predict-fail", "Prediction failed: Prediction failed: ValueError: CUDA out of memory"],
		["predict-missing", expect.stringContaining("AttributeError")],
		["predict-bad-input", expect.stringContaining("AttributeError")],
		["no-input-key", expect.stringContaining("AttributeError")],
	] as const)("%s is an error although its status is 200", (name, error) => {
		expect(captures[name].response.status).toBe(200);
		expect(readCapture(NAME, captures, name)).toMatchObject({ class: "error", error, output: null });
	});

	test("that was canceled is an error", () => {
		expect(read(NAME, { status: 200, body: { status: "canceled" } })).toMatchObject({
			class: "error",
			error: "The prediction is canceled.",
		});
	});

	test("of a prediction that is still running is waited for; one that was only begun carries nothing", () => {
		expect(readCapture(NAME, captures, "async-put-join")).toMatchObject({ class: "busy", scope: "request" });
		expect(readCapture(NAME, captures, "async-put")).toMatchObject({ class: null, error: null });
	});
});

test.each([
	["busy-put", { class: "busy", scope: "request" }, "At capacity - all prediction slots busy"],
	["busy-while-async", { class: "busy", scope: "request" }, "At capacity - all prediction slots busy"],
	[
		"predict-starting",
		{ class: "busy", scope: "endpoint" },
		expect.stringContaining("Setup has not finished"),
	],
	[
		"predict-put-id-mismatch",
		{ class: null },
		"body.id: prediction ID must match the ID supplied in the URL",
	],
	["bad-json", { class: null }, expect.stringContaining("Failed to parse")],
	["async-get", { class: null }, null],
] as const)("a refusal: %s", (name, meaning, error) => {
	expect(readCapture(NAME, captures, name)).toMatchObject({ ...meaning, error, output: null });
});

test("a busy container is busy even when its body is lost", () => {
	expect(read(NAME, { status: 409, body: '{"err' })).toMatchObject({ class: "busy", scope: "request" });
});
