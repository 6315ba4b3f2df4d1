import { describe, expect, test } from "vitest";
import kserve from "../captures/kserve.json";
import mlserver from "../captures/mlserver.json";
import { bodyFor, find, inputOf, json, outputText, read, readCapture, request, urlFor } from "../captures.ts";

const NAME = "open-inference";

test("the whole request, as MLServer was sent it", () => {
	const row = inputOf(json("[[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]"));
	const tensor = inputOf(null, '{"input-0":{"shape":[2,4],"datatype":"FP64","data":[5.1,3.5]}}');
	expect(request(NAME, row, { url: "https://models.example.com/base/?k=1", model: "iris" })).toEqual({
		method: "POST",
		url: "https://models.example.com/base/v2/models/iris/infer?k=1",
		headers: { "content-type": "application/json" },
		body: '{"id":"dlv_1","inputs":[{"name":"input-0","shape":[1,2,4],"datatype":"FP64","data":[5.1,3.5,1.4,0.2,6.7,3,5.2,2.3]}]}',
	});
	expect(request(NAME, tensor)).toMatchObject({
		body: '{"id":"dlv_1","inputs":[{"name":"input-0","shape":[2,4],"datatype":"FP64","data":[5.1,3.5]}]}',
	});
});

describe("the URL", () => {
	test.each([
		["https://a.example", "ocr", "https://a.example/v2/models/ocr/infer"],
		["https://a.example/", "ocr", "https://a.example/v2/models/ocr/infer"],
		["https://a.example/x/", "ocr/versions/3", "https://a.example/x/v2/models/ocr/versions/3/infer"],
		["https://a.example", "über?", "https://a.example/v2/models/%C3%BCber%3F/infer"],
		["https://a.example/v2/models/ocr/infer", null, "https://a.example/v2/models/ocr/infer"],
		["https://a.example/v2/models/ocr/infer?a=1", "b", "https://a.example/v2/models/ocr/infer?a=1"],
	])("%s and %j: %s", (url, model, made) => {
		expect(urlFor(NAME, url, model)).toBe(made);
	});

	test("names the model, or the endpoint does", () => {
		expect(find(NAME).needsModel("https://a.example/v2")).toBe(true);
		expect(find(NAME).needsModel("https://a.example/v2/models/ocr/infer")).toBe(false);
	});
});

function inputs(...list: unknown[]): string {
	return JSON.stringify({ id: "dlv_1", inputs: list });
}

function tensorsFor(value: unknown): unknown {
	const made = request(NAME, inputOf(null, JSON.stringify(value)));
	return "misfit" in made ? made : (JSON.parse(String(made.body)) as { inputs: unknown }).inputs;
}

describe("an input", () => {
	test.each([
		['"a text"', inputs({ name: "input-0", shape: [1], datatype: "BYTES", data: ["a text"] })],
		[
			'{"title":"a","pages":3,"row":[1.5,2],"ok":true,"gone":null}',
			inputs(
				{ name: "title", shape: [1], datatype: "BYTES", data: ["a"] },
				{ name: "pages", shape: [1], datatype: "INT64", data: [3] },
				{ name: "row", shape: [1, 2], datatype: "FP64", data: [1.5, 2] },
				{ name: "ok", shape: [1], datatype: "BOOL", data: [true] },
			),
		],
		['{"record":{"a":1}}', inputs({ name: "record", shape: [1], datatype: "BYTES", data: ['{"a":1}'] })],
		[
			'{"id":9007199254740993}',
			'{"id":"dlv_1","inputs":[{"name":"id","shape":[1],"datatype":"INT64","data":[9007199254740993]}]}',
		],
		// A request of its own, with what JSONata makes of lists of one put right.
		[
			'{"id":"mine","inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2],"parameters":{"content_type":"np"}}],"parameters":{"p":1},"outputs":{"name":"b"}}',
			JSON.stringify({
				id: "dlv_1",
				inputs: [
					{ name: "a", shape: [1, 2], datatype: "FP32", data: [1, 2], parameters: { content_type: "np" } },
				],
				outputs: [{ name: "b" }],
				parameters: { p: 1 },
			}),
		],
		[
			'{"inputs":{"name":"a","shape":1,"datatype":"FP32","data":7}}',
			inputs({ name: "a", shape: [1], datatype: "FP32", data: [7] }),
		],
		// A member that is only called so.
		['{"inputs":[1,2]}', inputs({ name: "inputs", shape: [1, 2], datatype: "INT64", data: [1, 2] })],
		['{"inputs":"a"}', inputs({ name: "inputs", shape: [1], datatype: "BYTES", data: ["a"] })],
	])("%s", (text, body) => {
		expect(bodyFor(NAME, text)).toBe(body);
	});

	test.each([
		["{}", "no member"],
		['{"a":null}', "no member"],
		["null", "there is no data to send"],
		['{"a":[[1],[2,3]]}', '"a" is not a tensor: its lists have different lengths'],
		['{"a":[1,"b"]}', '"a" is not a tensor: it mixes'],
	])("%s does not fit", (text, misfit) => {
		expect(bodyFor(NAME, text)).toContain(misfit);
	});

	test("that is a tensor, or a list of tensors, is no object of tensors", () => {
		const tensor = { shape: [1, 2], datatype: "FP32", data: [1, 2] };
		expect(tensorsFor(tensor)).toEqual([{ name: "input-0", ...tensor }]);
		expect(tensorsFor([tensor, { ...tensor, name: "mask" }])).toEqual([
			{ name: "input-0", ...tensor },
			{ ...tensor, name: "mask" },
		]);
		// Of a publisher's own.
		expect(tensorsFor({ shape: [1], datatype: "scan", data: [2] })).toMatchObject([
			{ name: "shape" },
			{ name: "datatype" },
			{ name: "data" },
		]);
		expect(tensorsFor({ ...tensor, id: 7 })).toHaveLength(4);
	});

	test("that is a text or bytes is one BYTES element", () => {
		const element = { name: "input-0", shape: [1], datatype: "BYTES" };
		expect(request(NAME, inputOf({ kind: "text", text: "hi" }))).toMatchObject({
			body: inputs({ ...element, data: ["hi"] }),
		});
		// The form in which MLServer was recorded to decode it.
		const parameters = { content_type: "base64" };
		expect(JSON.parse(mlserver["text-base64"].request.body)).toMatchObject({
			inputs: [{ datatype: "BYTES", data: ["aGVsbG8="], parameters }],
		});
		expect(request(NAME, inputOf({ kind: "binary", base64: "iVBORw==" }))).toMatchObject({
			body: inputs({ ...element, parameters, data: ["iVBORw=="] }),
		});
	});
});

describe("a response", () => {
	test.each([
		[mlserver, "infer", "v1.2.0"],
		[mlserver, "infer-outputs", "v1.2.0"],
		[mlserver, "infer-version", "v1.2.0"],
		[mlserver, "text-bytes", "1"],
		[mlserver, "text-base64", "1"],
		[kserve, "v2-infer", null],
		[kserve, "v2-bytes", null],
	])("%# %s %s is its document, and no event", (captures, name, modelVersion) => {
		const said = readCapture(NAME, captures, name);
		expect(said).toMatchObject({ class: null, error: null, modelVersion, output: { kind: "data" } });
		expect(outputText(said)).toBe(
			(captures as Record<string, { response: { body: string } }>)[name]?.response.body,
		);
	});

	test("has the id of the server's log, or else the one that its document names", () => {
		const headers = { "x-request-id": "req_1" };
		const body = { id: "dlv_1", outputs: [] };
		expect(readCapture(NAME, mlserver, "infer").requestId).toBe("dlv_01H");
		expect(read(NAME, { status: 200, headers, body }).requestId).toBe("req_1");
		expect(read(NAME, { status: 200, body: { id: 7, outputs: [] } }).requestId).toBe(null);
	});

	test("keeps its digits", () => {
		const body = '{"model_version":"1","outputs":[{"data":[9007199254740993]}]}';
		const headers = { "content-type": "application/json" };
		expect(outputText(read(NAME, { status: 200, headers, body }))).toBe(body);
	});
});

const BUSY = { class: "busy", scope: "endpoint" };
const OPEN = { class: null, scope: null };

describe("a refusal", () => {
	test.each([
		[mlserver, "notready-POST-v2_models_late_infer", BUSY, "Model late is not ready yet."],
		[kserve, "notready-POST-v2_models_iris_infer", BUSY, "Model with name iris is not ready."],
		[kserve, "v2-infer-version", { class: "bad_input" }, "Model versioning not supported yet."],
		[mlserver, "slow-status-429", OPEN, "custom"],
		[mlserver, "infer-unknown-model", OPEN, "Model nope not found"],
		[mlserver, "infer-unknown-version", OPEN, "Model iris with version 9 not found"],
		[mlserver, "infer-bad-json", OPEN, "body.6: JSON decode error"],
		[mlserver, "infer-missing-inputs", OPEN, "body.inputs: Field required"],
		[
			mlserver,
			"infer-bad-datatype",
			OPEN,
			expect.stringMatching(/^body\.inputs\.0\.datatype: Input should be/),
		],
		[mlserver, "infer-unknown-output", OPEN, expect.stringContaining("zzz was received")],
		[mlserver, "infer-bad-shape", OPEN, "Internal Server Error"],
		[mlserver, "infer-wrong-features", OPEN, "Internal Server Error"],
		[mlserver, "infer-string-in-fp", OPEN, "Internal Server Error"],
		[mlserver, "infer-empty-batch", OPEN, "Internal Server Error"],
		[mlserver, "slow-fail", OPEN, "Internal Server Error"],
		[kserve, "v2-bad-shape", OPEN, expect.stringContaining("cannot reshape")],
		[kserve, "v2-bad-datatype", OPEN, "invalid datatype None in the input"],
		[kserve, "v2-missing-inputs", OPEN, expect.stringMatching(/Field required; .*valid bytes/)],
		[kserve, "cold-v2-infer", OPEN, "Model with name iris does not exist."],
	])("%# %s %s", (captures, name, meaning, error) => {
		expect(readCapture(NAME, captures, name)).toMatchObject({ ...meaning, error, output: null });
	});

	test.each([
		[kserve, "cold-v2-infer"],
		[mlserver, "infer-unloaded"],
	])("%# %s %s is busy while the endpoint may be starting", (captures, name) => {
		expect(readCapture(NAME, captures, name, true)).toMatchObject(BUSY);
	});

	test("that is not ready yet by its own words only is bad input", () => {
		expect(read(NAME, { status: 400, body: { error: "order 7 is not ready" } })).toMatchObject(OPEN);
		expect(read(NAME, { status: 500, body: { error: "is not ready yet" } })).toMatchObject(OPEN);
	});
});
