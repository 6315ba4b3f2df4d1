import { describe, expect, test } from "vitest";
import captures from "../captures/bentoml.json";
import { inputOf, json, outputText, read, readCapture, request } from "../captures.ts";
import { captured, jobsOf, POLLED, readStep, stepRequest, summary } from "./jobs.ts";

const NAME = "bentoml";
const SCAN = { url: "https://models.example.com", model: "scan" };

describe("a task is submitted", () => {
	test("as BentoML was sent it", () => {
		const { method, path, body } = captured(captures, "task-submit").request;
		expect(request(NAME, inputOf(json(body)), { model: "scan", ...POLLED })).toEqual({
			method,
			url: `https://models.example.com${path}`,
			headers: { "content-type": "application/json" },
			body,
		});
	});

	test("behind the method's own URL, and no other completion does so", () => {
		const input = inputOf(json("{}"));
		const url = "https://a.example/scan?x=1";
		expect(request(NAME, input, { url, ...POLLED })).toMatchObject({
			url: "https://a.example/scan/submit?x=1",
		});
		expect(request(NAME, input, { url, completion: "callback" })).toMatchObject({ url });
	});

	test("and its id is the handle", () => {
		expect(read(NAME, captured(captures, "task-submit").response, false, POLLED)).toMatchObject({
			class: "accepted",
			handle: "99928900f60441b4bbc848f309ec6beb",
			output: null,
			requestId: expect.stringMatching(/^[0-9a-f]{16}$/),
		});
	});

	test("which is an output like any other if the server is not polled", () => {
		const said = readCapture(NAME, captures, "task-submit");
		expect(said).toMatchObject({ class: null, handle: null });
		expect(outputText(said)).toContain("task_id");
	});

	test("while another one runs, and is refused as busy by its status", () => {
		const { response } = captured(captures, "task-saturate-1");
		expect(response.status).toBe(429);
		expect(read(NAME, response, false, POLLED)).toMatchObject({ class: null, error: "Too many requests" });
	});

	test.each([
		["read"],
		["<html>"],
		["[]"],
		["{}"],
		['{"task_id":7}'],
		['{"task_id":""}'],
		['{"task_id":".."}'],
		[`{"task_id":"${"x".repeat(1_025)}"}`],
	])("to a method that is no task: %s", (body) => {
		expect(read(NAME, { status: 200, body }, false, POLLED)).toMatchObject({
			class: "error",
			error: "The response has no task_id: the method is not a BentoML task.",
			handle: null,
			output: null,
		});
	});
});

test.each([
	["poll", "task-status-done"],
	["result", "task-get-done"],
	["cancel", "task-cancel"],
] as const)("%s is asked as BentoML was: %s", (step, name) => {
	const { method, path } = captured(captures, name).request;
	const id = path.split("=")[1] ?? "";
	const url = `https://models.example.com${path}`;
	expect(stepRequest(NAME, step, id, SCAN)).toEqual({ method, url, headers: {}, body: null });
});

test("an id leads nowhere else, and a query stays", () => {
	expect(stepRequest(NAME, "poll", "a&b=../?#é", { url: "https://a.example/scan?x=1" })?.url).toBe(
		"https://a.example/scan/status?x=1&task_id=a%26b%3D..%2F%3F%23%C3%A9",
	);
	expect(stepRequest(NAME, "cancel", null, SCAN)).toBeNull();
});

describe("the status of a task", () => {
	test.each([
		["task-status-in-progress", "running"],
		["task-status-done", "fetch"],
		["task-status-failed", "fetch"],
		["task-status-cancelled", ["ended", "error", "The task was canceled."]],
		["task-status-unknown", ["lost", "task_id not found"]],
	])("%s", (name, meaning) => {
		expect(summary(readStep(NAME, "poll", captured(captures, name).response))).toEqual(meaning);
	});

	test.each([
		[{ status: 200, body: { status: "pending" } }, "running"],
		[{ status: 200, body: { status: "of later releases" } }, "running"],
		[
			{ status: 200, body: "<html>" },
			["ended", "error", "The response does not contain the status of the task."],
		],
		[{ status: 200, body: [] }, ["ended", "error", "The response does not contain the status of the task."]],
		[
			{ status: 200, body: { status: 1 } },
			["ended", "error", "The response does not contain the status of the task."],
		],
		[{ status: 401, body: { error: "no" } }, ["ended", "unauthorized", "no"]],
		[{ status: 302 }, ["ended", "error", "The server responded with 302 to a poll of the job."]],
	])("%j", (said, meaning) => {
		expect(summary(readStep(NAME, "poll", said))).toEqual(meaning);
	});
});

describe("the result of a task", () => {
	test.each([
		["task-get-done", ["ended", null, '{"text": "HELLO", "chars": 5}']],
		["task-get-bad", ["ended", "bad_input", "no such page"]],
		["task-get-failed", ["ended", "error", expect.stringContaining("unexpected error")]],
		["task-get-unknown", ["lost", "task_id not found"]],
		["task-get-unfinished", "running"],
	])("%s", (name, meaning) => {
		expect(summary(readStep(NAME, "result", captured(captures, name).response))).toEqual(meaning);
	});

	const own = { "x-bentoml-request-id": "1" };
	test.each([
		[{ status: 422, headers: own, body: { error: "no" } }, ["ended", "bad_input", "no"]],
		[{ status: 503, headers: own, body: { error: "no" } }, ["ended", "error", "no"]],
		[{ status: 429, headers: own }, ["ended", "error", expect.stringContaining("429")]],
		// Not the service's: it says nothing of the task.
		[{ status: 503 }, "running"],
		[{ status: 502, body: "<html>" }, "running"],
		[{ status: 429, body: { error: "Too many requests" } }, "running"],
		[{ status: 403 }, ["ended", "unauthorized", expect.stringContaining("403")]],
		[{ status: 200, body: "" }, ["ended", null, null]],
		[{ status: 200, body: "plain" }, ["ended", null, "plain"]],
	])("%j", (said, meaning) => {
		expect(summary(readStep(NAME, "result", said))).toEqual(meaning);
	});

	test("has the service's id of the request", () => {
		expect(readStep(NAME, "result", captured(captures, "task-get-done").response)).toMatchObject({
			reading: { requestId: "ca29aa2a00f700c6" },
		});
	});
});

test("tasks hold the service's slot, and are asked for only where the endpoint says so", () => {
	expect(jobsOf(NAME)).toMatchObject({ defaultMode: "sync", holdsSlot: true });
});
