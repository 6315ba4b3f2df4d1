import { describe, expect, test } from "vitest";
import captures from "../captures/cog.json";
import { inputOf, json, outputText, read, readCapture, request } from "../captures.ts";
import { captured, jobsOf, readCallback, stepRequest, summary } from "./jobs.ts";

const NAME = "cog";
const CALLBACK = "https://router.example/callbacks/dlv_1/t";
const called = { completion: "callback" } as const;

const readCalled = (name: string) => read(NAME, captured(captures, name).response, false, called);

test("a prediction is begun as Cog was sent it", () => {
	const recorded = captured(captures, "async-fail").request;
	const made = request(NAME, inputOf(json('{"text":"a"}')), {
		url: "https://a.example/x?y=1",
		callbackUrl: CALLBACK,
		...called,
	});
	expect(made).toEqual({
		method: recorded.method,
		url: "https://a.example/x/predictions/dlv_1?y=1",
		headers: { "content-type": "application/json", prefer: recorded.headers["prefer"] },
		body: JSON.stringify({
			input: { text: "a" },
			webhook: CALLBACK,
			webhook_events_filter: ["completed"],
		}),
	});
});

test("an event does not choose where the prediction is posted", () => {
	const input = inputOf(
		json('{"input":{},"webhook":"https://evil.example","webhook_events_filter":["logs"]}'),
	);
	expect(request(NAME, input, { callbackUrl: CALLBACK, ...called })).toMatchObject({
		body: JSON.stringify({ input: {}, webhook: CALLBACK, webhook_events_filter: ["completed"] }),
	});
});

describe("a response to the request", () => {
	test.each([
		["async-put", "dlv_20"],
		["async-put-join", "dlv_20"],
		["async-fail", "dlv_21"],
	])("%s has begun, or joined, a prediction", (name, handle) => {
		expect(readCalled(name)).toMatchObject({ class: "accepted", handle, output: null, error: null });
	});

	test("without a valid id has started a prediction anyway", () => {
		for (const body of ["", "{}", '{"id":7}', `{"id":"${"x".repeat(1_025)}"}`, "[]", "<html>"]) {
			expect(read(NAME, { status: 202, body }, false, called)).toMatchObject({
				class: "accepted",
				handle: null,
			});
		}
	});

	test("that is the prediction at its end is its output", () => {
		const said = readCalled("predict-put");
		expect(said).toMatchObject({ class: null, usage: { seconds: 0.003140508 } });
		expect(outputText(said)).toBe('"HELLO"');
		expect(readCalled("predict-fail")).toMatchObject({ class: "error" });
		expect(outputText(read(NAME, { status: 200, body: { some: 1 } }, false, called))).toBe('{"some":1}');
	});

	test("that refuses it means what it means elsewhere", () => {
		for (const name of ["busy-put", "busy-while-async", "predict-starting", "bad-json"]) {
			expect(readCalled(name)).toEqual(readCapture(NAME, captures, name));
		}
	});
});

const posted = (name: string) =>
	summary(readCallback(NAME, { body: JSON.parse(captured(captures, name).request.body) as unknown }));

describe("a callback", () => {
	test.each([
		["callback-succeeded", ["ended", null, '"A"']],
		["callback-processing", "running"],
		["callback-processing-output", "running"],
		["callback-failed", ["ended", "error", expect.stringContaining("CUDA out of memory")]],
		["callback-canceled", ["ended", "error", "The prediction is canceled."]],
	])("as Cog has posted it: %s", (name, meaning) => {
		expect(posted(name)).toEqual(meaning);
	});

	test("keeps the digits of its output, and counts", () => {
		const body = '{"status":"succeeded","metrics":{"predict_time":2},"output":[ 9007199254740993, 1.50 ]}';
		const said = readCallback(NAME, { headers: { "content-type": "application/json" }, body });
		expect(summary(said)).toEqual(["ended", null, "[ 9007199254740993, 1.50 ]"]);
		expect(said).toMatchObject({ reading: { usage: { seconds: 2 } } });
	});

	test.each([["starting"], ["a status of later releases"]])(
		"with the status %s says that it goes on",
		(status) => {
			expect(summary(readCallback(NAME, { body: { status } }))).toBe("running");
		},
	);

	test.each([["<html>"], ["[]"], ["{}"], ['{"status":7}'], ["null"], [""]])("%s is no prediction", (body) => {
		expect(summary(readCallback(NAME, { body }))).toEqual([
			"ended",
			"error",
			"The callback is not a prediction.",
		]);
	});
});

test("a prediction is canceled by the delivery's id", () => {
	const recorded = captured(captures, "cancel").request;
	const made = { method: recorded.method, headers: {}, body: null };
	for (const handle of [null, "dlv_1", "../x"]) {
		expect(stepRequest(NAME, "cancel", handle)).toEqual({
			...made,
			url: `https://models.example.com${recorded.path.replace("dlv_23", "dlv_1")}`,
		});
	}
	expect(stepRequest(NAME, "cancel", null, { url: "https://a.example/predictions?x=1" })).toMatchObject({
		url: "https://a.example/predictions/dlv_1/cancel?x=1",
	});
});

test("predictions hold the container's slot, and cannot be asked for", () => {
	expect(jobsOf(NAME)).toMatchObject({ defaultMode: "sync", holdsSlot: true });
	expect(jobsOf(NAME).poll).toBeUndefined();
});
