import { describe, expect, test } from "vitest";
import { MAX_BATCH_INPUTS } from "../../../src/models/batches/batch.ts";
import { split } from "./batches.ts";
import kserve from "../captures/kserve.json";
import mlserver from "../captures/mlserver.json";
import openai from "../captures/openai.json";
import { SERVERS } from "./fake-batch-servers.ts";

describe("a recorded response is split", () => {
	test.each([
		["open-inference", mlserver, "infer", '"shape":[1,1]', ['"data":[0]', '"data":[2]']],
		[
			"open-inference",
			mlserver,
			"infer-outputs",
			'"shape":[1,3]',
			[
				'"data":[0.981656829444016,0.01834315616093856,1.4395045350105303e-8]},{"name":"predict","shape":[1,1],"datatype":"INT64","parameters":{"content_type":"np"},"data":[0]',
				'"data":[0.000055262878832923325,0.0800835527736498,0.9198611843475173]},{"name":"predict","shape":[1,1],"datatype":"INT64","parameters":{"content_type":"np"},"data":[2]',
			],
		],
		["open-inference", mlserver, "text-bytes", '"shape":[1,1]', ['"data":["HÉLLO"]', '"data":["WÖRLD"]']],
		["open-inference", mlserver, "text-bytes-shape1", '"shape":[1,1]', ['"data":["A"]', '"data":["B"]']],
		["open-inference", kserve, "v2-infer", '"shape":[1]', ['"data":[0]', '"data":[1]']],
		["kserve-v1", kserve, "v1-predict", "{", ['"predictions":[6]', '"predictions":[6]']],
	])("%s %# %s %s", (name, captures, capture, form, parts) => {
		const { body } = (captures as Record<string, { response: { body: string } }>)[capture]?.response ?? {
			body: "",
		};
		const texts = split(name, body, 2);
		expect(texts).toHaveLength(2);
		for (const [at, text] of (texts ?? []).entries()) {
			expect(text).toContain(form);
			expect(text).toContain(parts[at]);
			expect(Object.keys(JSON.parse(text) as object)).toEqual(Object.keys(JSON.parse(body) as object));
		}
		expect(split(name, body, 3)).toBeNull();
	});

	test("by LitServe's index, with the usage of all, and as the response to one of them", () => {
		// Recorded for ["a cat", "a dog"] and "a cat"; the embeddings are cut to three numbers.
		const cat =
			'{"index":0,"embedding":[0.0617336705327034,0.04145975783467293,-1.5901081340530254e-8],"object":"embedding"}';
		const dog =
			'{"index":1,"embedding":[-0.014369071461260319,0.0006664005923084915,-1.742614408328791e-8],"object":"embedding"}';
		const rest = '"model":"minilm","object":"list","usage":{"prompt_tokens":7,"total_tokens":7}';
		const single = `{"data":[${cat}],${rest}}`;
		const second = `{"data":[${dog.replace('"index":1', '"index":0')}],${rest}}`;
		expect(split("openai-embeddings", `{"data":[${cat},${dog}],${rest}}`, 2)).toEqual([single, second]);
		expect(split("openai-embeddings", `{"data":[${dog},${cat}],${rest}}`, 2)).toEqual([single, second]);
	});

	test("into itself, where it is that of one input", () => {
		for (const [name, { body }] of [
			["open-inference", kserve["v2-bytes"].response],
			["kserve-v1", kserve["v1-predict-extra"].response],
			["openai-embeddings", openai["emb-base64"].response],
		] as const) {
			expect(split(name, body, 1)).toEqual([body]);
		}
	});
});

const output = (shape: string, data: string) =>
	`{"outputs":[{"name":"p","shape":${shape},"datatype":"INT64","data":${data}}]}`;
const items = (...indices: string[]) =>
	`{"data":[${indices.map((index) => `{"index":${index}}`).join(",")}]}`;

describe("a response that has not one output for each input", () => {
	test.each([
		["open-inference", output("[1,2]", "[1,2]")],
		["open-inference", output("[2,2]", "[1,2,3]")],
		["open-inference", output("[2,2]", "[[1,2]]")],
		["open-inference", output("[]", "[1]")],
		["open-inference", output('["2"]', "[1,2]")],
		["open-inference", output("2", "[1,2]")],
		["open-inference", '{"outputs":[{"name":"p","shape":[2],"datatype":"INT64"}]}'],
		["open-inference", '{"outputs":[{"shape":[2],"data":[1,2]},{"shape":[1],"data":[1]}]}'],
		["open-inference", '{"outputs":[null]}'],
		["open-inference", '{"outputs":[]}'],
		["kserve-v1", '{"predictions":[1]}'],
		["kserve-v1", '{"predictions":[1,2,3]}'],
		["kserve-v1", '{"predictions":{"a":1,"b":2}}'],
		["kserve-v1", '{"explanations":[1,2]}'],
		["openai-embeddings", items("0")],
		["openai-embeddings", items("0", "0")],
		["openai-embeddings", items("0", "2")],
		["openai-embeddings", items("0", "1", "1")],
		["openai-embeddings", items("0", "-1")],
		["openai-embeddings", '{"data":[{"embedding":[1]},{"embedding":[2]}]}'],
		["openai-embeddings", '{"data":[1,2]}'],
		["openai-embeddings", '{"error":{"message":"no"}}'],
		["huggingface", '[{"a":1}]'],
		["huggingface", '{"a":1}'],
		// Generation returns a list for one text, and a list of such lists for two.
		["huggingface", '[[{"generated_text":"a"}],[{"generated_text":"b"}]]'],
		["huggingface", "[[[1,2]],[[3,4]]]"],
		// A classifier may have taken the two texts for a pair.
		["huggingface", '[{"label":"good","score":0.9},{"label":"bad","score":0.1}]'],
		...Object.keys(SERVERS).flatMap((name) =>
			["", "no", "[]", "{}", "null", '"ab"', "12", "[1,2]", '["a","b"]'].map((body): [string, string] => [
				name,
				body,
			]),
		),
	])("%s: %s", (name, body) => {
		expect(split(name, body, 2)).toBeNull();
	});

	test("or is no success, or of an impossible number", () => {
		expect(split("kserve-v1", '{"predictions":[1,2]}', 2, 500)).toBeNull();
		expect(split("kserve-v1", '{"predictions":[1]}', 1, 500)).toBeNull();
		expect(split("kserve-v1", '{"predictions":[]}', 0)).toBeNull();
		const many = Array.from({ length: MAX_BATCH_INPUTS + 1 }, () => 1);
		expect(split("kserve-v1", JSON.stringify({ predictions: many }), many.length)).toBeNull();
	});

	test("or whose outputs would each repeat too much", () => {
		const ones = Array.from({ length: MAX_BATCH_INPUTS }, () => 1);
		const said = (length: number) => JSON.stringify({ predictions: ones, log: "x".repeat(length) });
		expect(split("kserve-v1", said(10_000), ones.length)).toHaveLength(ones.length);
		expect(split("kserve-v1", said(100_000), ones.length)).toBeNull();
	});
});

test("spaces in a response do not matter", () => {
	expect(split("kserve-v1", ' { "predictions" : [ 1.0 , [ 2 ] ] } ', 2)).toEqual([
		'{"predictions":[1.0]}',
		'{"predictions":[[ 2 ]]}',
	]);
	expect(
		split("open-inference", ' { "outputs" : [ { "shape" : [ 2 , 1 ] , "data" : [ [1.0] , [2] ] } ] }', 2),
	).toEqual(['{"outputs":[{"shape":[1,1],"data":[[1.0]]}]}', '{"outputs":[{"shape":[1,1],"data":[[2]]}]}']);
});
