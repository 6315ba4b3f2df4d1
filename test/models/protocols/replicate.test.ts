import { describe, expect, test } from "vitest";
import { bodyFor, find, inputOf, json, outputText, read, request, urlFor } from "../captures.ts";
import { jobsOf, POLLED, readCallback, readStep, stepRequest, summary } from "../jobs/jobs.ts";

const NAME = "replicate";
const API = "https://api.replicate.com";
const CALLBACK = "https://router.example/callbacks/dlv_1/t";
const VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa";

/** As Replicate documents it. */
const STARTED = {
	id: "gm3qorzdhgbfurvjtvhg6dckhu",
	model: "replicate/hello-world",
	version: VERSION,
	input: { text: "Alice" },
	logs: "",
	output: null,
	error: null,
	status: "starting",
	created_at: "2023-09-08T16:19:34.765994Z",
	urls: {
		cancel: "https://api.replicate.com/v1/predictions/gm3qorzdhgbfurvjtvhg6dckhu/cancel",
		get: "https://api.replicate.com/v1/predictions/gm3qorzdhgbfurvjtvhg6dckhu",
	},
};
const DONE = {
	...STARTED,
	status: "succeeded",
	data_removed: false,
	output: "hello Alice",
	metrics: { predict_time: 12.5, total_time: 14 },
};

describe("the URL and the body", () => {
	test.each([
		[API, "meta/llama-3", "/v1/models/meta/llama-3/predictions", null],
		[`${API}/v1/`, "meta/llama-3", "/v1/models/meta/llama-3/predictions", null],
		[API, "deployments/acme/app", "/v1/deployments/acme/app/predictions", null],
		[API, `replicate/hello-world:${VERSION}`, "/v1/predictions", VERSION],
		[API, VERSION, "/v1/predictions", VERSION],
		[`${API}/v1/predictions`, VERSION, "/v1/predictions", VERSION],
		[`${API}/v1/predictions`, "meta/llama-3", "/v1/models/meta/llama-3/predictions", null],
		[`${API}/v1/deployments/acme/app/predictions`, null, "/v1/deployments/acme/app/predictions", null],
		[`${API}/v1/models/meta/llama-3/predictions`, "x", "/v1/models/meta/llama-3/predictions", null],
		[`${API}/proxy?key=/predictions`, "a/b", "/proxy/v1/models/a/b/predictions?key=/predictions", null],
	])("of %s for %s", (url, model, path, version) => {
		expect(urlFor(NAME, url, model)).toBe(`${API}${path}`);
		const body = version === null ? { input: { a: 1 } } : { version, input: { a: 1 } };
		expect(JSON.parse(bodyFor(NAME, '{"a":1}', { url, model }))).toEqual(body);
	});

	test.each([
		[API, true],
		[`${API}/v1/predictions`, true],
		[`${API}/v1/deployments/acme/app/predictions`, false],
		[`${API}/v1/models/meta/llama-3/predictions?x=1`, false],
	])("whether %s needs a model: %j", (url, needs) => {
		expect(find(NAME).needsModel(url)).toBe(needs);
	});

	test.each([
		['{"text":"a","n":9007199254740993}', '{"input":{"text":"a","n":9007199254740993}}'],
		['{"input":{"text":"a"}}', '{"input":{"text":"a"}}'],
		['{"input":{"a":1},"webhook":"https://evil.example","version":"x"}', '{"input":{"a":1}}'],
		['"a text"', "misfit: a prediction needs an object with one member for each input"],
	])("the input %s", (text, body) => {
		expect(bodyFor(NAME, text, { model: "a/b" })).toBe(body);
	});

	test("with a callback URL, to which only the end is posted", () => {
		const to = { url: API, model: "a/b", completion: "callback", callbackUrl: CALLBACK } as const;
		expect(request(NAME, inputOf(json('{"text":"a","webhook":"https://evil.example"}')), to)).toEqual({
			method: "POST",
			url: `${API}/v1/models/a/b/predictions`,
			headers: { "content-type": "application/json" },
			body: JSON.stringify({
				input: { text: "a", webhook: "https://evil.example" },
				webhook: CALLBACK,
				webhook_events_filter: ["completed"],
			}),
		});
	});
});

describe("a response to the request", () => {
	test.each(["starting", "processing", "queued"])("%s is a job, however the endpoint completes", (status) => {
		for (const completion of ["sync", "callback", "poll"] as const) {
			const said = read(NAME, { status: 201, body: { ...STARTED, status } }, false, { completion });
			expect(said).toMatchObject({
				class: "accepted",
				handle: STARTED.id,
				output: null,
				modelVersion: VERSION,
				requestId: STARTED.id,
			});
		}
	});

	test("that was waited for is the output", () => {
		const said = read(NAME, { status: 201, body: DONE });
		expect(said).toMatchObject({ class: null, handle: null, usage: { seconds: 12.5 } });
		expect(outputText(said)).toBe('"hello Alice"');
	});

	test.each([
		["failed", "CUDA out of memory", "CUDA out of memory"],
		["canceled", null, "The prediction is canceled."],
		["aborted", null, "The prediction is aborted."],
	])("%s is an error", (status, error, text) => {
		const body = { ...STARTED, status, error, output: "a part" };
		expect(read(NAME, { status: 201, body }, false, POLLED)).toMatchObject({
			class: "error",
			error: text,
			output: null,
		});
	});

	test("of a model that has no versions names none", () => {
		expect(read(NAME, { status: 201, body: { ...DONE, version: "hidden" } }).modelVersion).toBeNull();
	});

	test.each([[undefined], [7], [""], [".."], ["x".repeat(1_025)]])(
		"with the id %j can only be called back",
		(id) => {
			const body = JSON.stringify({ ...STARTED, id });
			const headers = { "content-type": "application/json" };
			expect(read(NAME, { status: 201, headers, body }, false, POLLED)).toMatchObject({
				class: "error",
				handle: null,
			});
			expect(read(NAME, { status: 201, headers, body }, false, { completion: "callback" })).toMatchObject({
				class: "accepted",
				handle: null,
			});
		},
	);

	test.each([
		[
			429,
			{ detail: "Request was throttled. Expected available in 3 seconds." },
			"Request was throttled. Expected available in 3 seconds.",
			3_000,
		],
		[429, { detail: "Request was throttled. Your rate limit resets in ~30s." }, expect.any(String), 30_000],
		[429, "<html>", null, null],
		[
			402,
			{ title: "Insufficient credit", detail: "You have none left.", status: 402 },
			"You have none left.",
			null,
		],
		[422, { detail: "- input.text is required\n", status: 422 }, "- input.text is required\n", null],
		[401, { title: "Unauthenticated", detail: "No token" }, "No token", null],
		[503, { detail: "resets in 3s" }, "resets in 3s", null],
	])("%j %j is left to the table, with its wait", (status, body, error, retryAfterMs) => {
		expect(read(NAME, { status, body })).toMatchObject({ class: null, output: null, error, retryAfterMs });
	});
});

const ENDS: [object | string, unknown][] = [
	[STARTED, "running"],
	[{ ...STARTED, status: "processing", output: ["a part"] }, "running"],
	[{ ...STARTED, status: "of later releases" }, "running"],
	[DONE, ["ended", null, '"hello Alice"']],
	[{ ...DONE, output: null }, ["ended", null, "null"]],
	[
		{ ...DONE, data_removed: true, output: null },
		["lost", "The prediction has succeeded, but its output has been deleted since."],
	],
	[{ ...DONE, status: "failed", error: "no memory" }, ["ended", "error", "no memory"]],
	[{ ...DONE, status: "canceled" }, ["ended", "error", "The prediction is canceled."]],
	[{ ...DONE, status: "aborted" }, ["ended", "error", "The prediction is aborted."]],
	["<html>", ["ended", "error", "The response is not a prediction."]],
	["[]", ["ended", "error", "The response is not a prediction."]],
	[{ status: 7 }, ["ended", "error", "The response is not a prediction."]],
];

describe("a job", () => {
	test.each(ENDS)("asked after: %j", (body, meaning) => {
		expect(summary(readStep(NAME, "poll", { status: 200, body }))).toEqual(meaning);
	});

	test.each(ENDS)("called back: %j", (body, meaning) => {
		expect(summary(readCallback(NAME, { body }))).toEqual(meaning);
	});

	test.each([
		[{ status: 404, body: { detail: "Not found" } }, ["lost", "Not found"]],
		[{ status: 401, body: { detail: "No token" } }, ["ended", "unauthorized", "No token"]],
		[{ status: 402, body: { detail: "None left" } }, ["ended", "quota", "None left"]],
		[{ status: 400, body: {} }, ["ended", "error", expect.stringContaining("400")]],
	])("asked after, %j", (said, meaning) => {
		expect(summary(readStep(NAME, "poll", said))).toEqual(meaning);
	});

	test("says what it has used, and which version it was", () => {
		expect(readStep(NAME, "poll", { status: 200, body: DONE })).toMatchObject({
			reading: { usage: { seconds: 12.5 }, modelVersion: VERSION, requestId: STARTED.id },
		});
	});

	test.each([
		[API, "abc", "/v1/predictions/abc"],
		[`${API}/v1/predictions?x=1`, "abc", "/v1/predictions/abc?x=1"],
		[`${API}/v1/deployments/acme/app/predictions`, "abc", "/v1/predictions/abc"],
		[`${API}/proxy`, "abc", "/proxy/v1/predictions/abc"],
		[API, "../../x?y#z@b.example", "/v1/predictions/..%2F..%2Fx%3Fy%23z%40b.example"],
	])("of %s with the id %s is at %s", (url, id, path) => {
		const [before, query = ""] = path.split(/(?=\?)/);
		expect(stepRequest(NAME, "poll", id, { url })).toEqual({
			method: "GET",
			url: `${API}${path}`,
			headers: {},
			body: null,
		});
		expect(stepRequest(NAME, "cancel", id, { url })).toMatchObject({
			method: "POST",
			url: `${API}${before}/cancel${query}`,
		});
	});

	test("without an id is not canceled", () => {
		expect(stepRequest(NAME, "cancel", null)).toBeNull();
	});

	test("is polled unless the endpoint says otherwise, and holds no slot", () => {
		expect(jobsOf(NAME)).toMatchObject({ defaultMode: "poll", holdsSlot: false });
	});
});
