import { describe, expect, test } from "vitest";
import kserve from "../captures/kserve.json";
import { bodyFor, find, inputOf, json, outputText, read, readCapture, request, urlFor } from "../captures.ts";

const NAME = "kserve-v1";

test("the whole request, as KServe was sent it", () => {
	const { path, method } = kserve["v1-predict"].request;
	const input = inputOf(json("[[1, 2], [3, 4]]"));
	expect(request(NAME, input, { url: "https://models.example.com", model: "iris" })).toEqual({
		method,
		url: `https://models.example.com${path}`,
		headers: { "content-type": "application/json" },
		body: '{"instances":[[1,2],[3,4]]}',
	});
});

const VERTEX =
	"https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/endpoints/12:predict";
/** An endpoint with a host of its own, and a path that any body may be sent to. */
const DEDICATED =
	"https://12.europe-west4-34.prediction.vertexai.goog/v1/projects/34/locations/europe-west4/endpoints/12:rawPredict";

describe("the URL", () => {
	test.each([
		["https://a.example/x", "iris", "https://a.example/x/v1/models/iris:predict"],
		["https://a.example", "iris/versions/2", "https://a.example/v1/models/iris/versions/2:predict"],
		[VERTEX, null, VERTEX],
		[`${VERTEX}?$alt=json`, null, `${VERTEX}?$alt=json`],
		[DEDICATED, null, DEDICATED],
		["https://a.example/v1/models/iris:explain", null, "https://a.example/v1/models/iris:explain"],
	])("%s and %j: %s", (url, model, made) => {
		expect(urlFor(NAME, url, model)).toBe(made);
		expect(find(NAME).needsModel(url)).toBe(model !== null);
	});
});

describe("an input", () => {
	test.each([
		// Rows and records are one instance each, lists of them are as many.
		["[5.1,3.5,1.4,0.2]", '{"instances":[[5.1,3.5,1.4,0.2]]}'],
		["[[5.1],[3.5]]", '{"instances":[[5.1],[3.5]]}'],
		['{"a":1}', '{"instances":[{"a":1}]}'],
		['[{"a":1},{"a":2}]', '{"instances":[{"a":1},{"a":2}]}'],
		['"text"', '{"instances":["text"]}'],
		['["a","b"]', '{"instances":[["a","b"]]}'],
		["[]", '{"instances":[[]]}'],
		["9007199254740993", '{"instances":[9007199254740993]}'],
		["[9007199254740993,1]", '{"instances":[[9007199254740993,1]]}'],
		// A request of its own; a list of which JSONata made its item is one again.
		['{"instances":[1,2],"parameters":{"p":1}}', '{"instances":[1,2],"parameters":{"p":1}}'],
		['{"instances":5}', '{"instances":[5]}'],
		['{"instances":{"a":1}}', '{"instances":[{"a":1}]}'],
		["null", "misfit: there is no data to send"],
	])("%s", (text, body) => {
		expect(bodyFor(NAME, text)).toBe(body);
	});
});

describe("a response", () => {
	test.each(["v1-predict", "v1-predict-extra", "v1-request-id", "v1-ce-binary"] as const)(
		"%s is its document, and no event",
		(name) => {
			const said = readCapture(NAME, kserve, name);
			expect(said).toMatchObject({ class: null, output: { kind: "data", contentType: "application/json" } });
			expect(outputText(said)).toBe(kserve[name].response.body);
		},
	);

	test("of Vertex names the model's version", () => {
		const body = { predictions: [1], deployedModelId: "9", modelVersionId: "3" };
		expect(read(NAME, { status: 200, body })).toMatchObject({ modelVersion: "3" });
	});
});

const BUSY = { class: "busy", scope: "endpoint" };
const OPEN = { class: null, scope: null };

test.each([
	["notready-POST-v1_models_iris_predict", BUSY, "Model with name iris is not ready."],
	["v1-bad", OPEN, "bad instance"],
	["v1-bad-json", OPEN, expect.stringContaining("Unrecognized request format")],
	["v1-instances-not-list", OPEN, 'Expected "instances" to be a list'],
	["v1-no-instances", OPEN, "KeyError : 'instances'"],
	["v1-unknown-model", OPEN, "Model with name nope does not exist."],
	["cold-v1-predict", OPEN, "Model with name iris does not exist."],
	["v1-oom", OPEN, "RuntimeError : CUDA out of memory"],
	["v1-inferr", OPEN, "inference failed"],
] as const)("a refusal: %s", (name, meaning, error) => {
	expect(readCapture(NAME, kserve, name)).toMatchObject({ ...meaning, error, output: null });
});

describe("a refusal of Vertex", () => {
	test.each([
		[429, "RESOURCE_EXHAUSTED", "busy"],
		[403, "RESOURCE_EXHAUSTED", "busy"],
		// These mean what their status means.
		[403, "PERMISSION_DENIED", null],
		[400, "INVALID_ARGUMENT", null],
		[503, "UNAVAILABLE", null],
		[404, "NOT_FOUND", null],
	])("%j %s", (code, status, meaning) => {
		const body = { error: { code, message: "Quota exceeded for aiplatform", status } };
		expect(read(NAME, { status: code, body })).toMatchObject({
			class: meaning,
			scope: null,
			error: "Quota exceeded for aiplatform",
			output: null,
		});
	});

	test.each([["[]"], ['{"error":"RESOURCE_EXHAUSTED"}'], ['{"error":{"status":7}}'], ["<html>"]])(
		"that has another form, %s, means what its status means",
		(body) => {
			expect(read(NAME, { status: 403, body }).class).toBeNull();
		},
	);
});

test("a model that is not registered is busy while the endpoint may be starting", () => {
	expect(readCapture(NAME, kserve, "cold-v1-predict", true)).toMatchObject(BUSY);
});
