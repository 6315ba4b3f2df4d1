import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BATCH_BYTES, MAX_BATCH_INPUTS } from "../../src/models/batch.ts";
import type { Batch, ModelInput, ModelRequest } from "../../src/models/protocol.ts";
import { PROTOCOL_NAMES } from "../../src/models/registry.ts";
import kserve from "./captures/kserve.json";
import mlserver from "./captures/mlserver.json";
import openai from "./captures/openai.json";
import { exchangeOf, find, inputOf, json, request } from "./captures.ts";
import { SERVERS } from "./fake-batch-servers.ts";

const context = {
	url: "https://models.example.com",
	model: "m",
	deliveryId: "dlv_1",
	completion: "sync",
	callbackUrl: null,
} as const;
const JSON_TYPE = { "content-type": "application/json" };

function batchOf(name: string): Batch {
	const { batch } = find(name);
	if (batch === undefined) throw new Error(`${name} has no batches`);
	return batch;
}

const of = (text: string): ModelInput => inputOf(json(text));
const keyOf = (name: string, text: string, url: string = context.url) =>
	batchOf(name).key(of(text), { ...context, url });

function joined(name: string, texts: readonly string[]): string {
	const made = batchOf(name).join(texts.map(of), context);
	return "misfit" in made ? `misfit: ${made.misfit}` : String(made.body);
}

/** The texts of what a response is split into. */
function split(name: string, body: string, count: number, status = 200): string[] | null {
	const outputs = batchOf(name).split(exchangeOf({ status, headers: JSON_TYPE, body }), count);
	return outputs?.map(textOf) ?? null;
}

function textOf(output: NonNullable<ReturnType<Batch["split"]>>[number]): string {
	if (output?.kind !== "data" || output.data.kind !== "json") throw new Error("no JSON");
	expect(output.contentType).toBe("application/json");
	return output.data.text;
}

test("the protocols that have batches", () => {
	expect(PROTOCOL_NAMES.filter((name) => find(name).batch !== undefined).toSorted()).toEqual(
		Object.keys(SERVERS).toSorted(),
	);
});

const tensor = (data: string, rest = "") =>
	`{"inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":${data}${rest}}]}`;
const ofRows = (shape: string, data: string) =>
	`{"inputs":[{"name":"a","shape":${shape},"datatype":"FP32","data":${data}}]}`;

describe("inputs share a request", () => {
	test.each([
		["open-inference", "[1.5,2]", "[3.25,4]"],
		["open-inference", '{"a":"x","b":[1,2]}', '{"a":"yy","b":[3,4]}'],
		["open-inference", tensor("[1,2]"), tensor("[3,4]")],
		["open-inference", tensor("[[1,2]]"), tensor("[[3,4]]")],
		["open-inference", '{"id":1}', '{"id":9007199254740993}'],
		["kserve-v1", "[1,2]", "[3,4]"],
		["kserve-v1", '{"instances":[1],"parameters":{"k":1}}', '{"instances":[2],"parameters":{"k":1}}'],
		["openai-embeddings", '"a"', '["b"]'],
		["openai-embeddings", "[1,2]", "[3]"],
		["openai-embeddings", '{"input":"a","dimensions":3}', '{"input":["b"],"dimensions":3}'],
		["huggingface", '"a"', '{"inputs":"b"}'],
		["huggingface", '["a"]', '{"inputs":["b"]}'],
		["huggingface", '{"inputs":"a","parameters":{"k":1}}', '{"inputs":"b","parameters":{"k":1}}'],
	])("%s: %s and %s", (name, one, other) => {
		expect(keyOf(name, one)).not.toBeNull();
		expect(keyOf(name, one)).toBe(keyOf(name, other));
	});
});

describe("inputs do not share a request", () => {
	test.each([
		["open-inference", "another shape", "[1.5,2]", "[1.5,2,3]"],
		["open-inference", "another datatype", "[1,2]", "[1.5,2]"],
		["open-inference", "another name", '{"a":1}', '{"b":1}'],
		["open-inference", "one more tensor", '{"a":1}', '{"a":1,"b":1}'],
		["open-inference", "nested and flat", tensor("[1,2]"), tensor("[[1,2]]")],
		["open-inference", "parameters of a tensor", tensor("[1,2]"), tensor("[1,2]", ',"parameters":{"k":1}')],
		[
			"open-inference",
			"outputs",
			tensor("[1,2]"),
			tensor("[1,2]").replace("}]}", '}],"outputs":[{"name":"b"}]}'),
		],
		[
			"open-inference",
			"parameters",
			tensor("[1,2]"),
			tensor("[1,2]").replace("}]}", '}],"parameters":{"k":1}}'),
		],
		["kserve-v1", "another member", '{"instances":[1]}', '{"instances":[1],"signature_name":"s"}'],
		["kserve-v1", "another value", '{"instances":[1],"k":1}', '{"instances":[1],"k":2}'],
		["openai-embeddings", "dimensions", '{"input":"a","dimensions":3}', '{"input":"a","dimensions":4}'],
		["openai-embeddings", "texts and tokens", '"a"', "[1,2]"],
		["huggingface", "parameters", '{"inputs":"a"}', '{"inputs":"a","parameters":{"k":1}}'],
		["huggingface", "a text and a list of it", '"a"', '["a"]'],
		["huggingface", "a text and an object", '["a"]', '[{"question":"a"}]'],
	])("%s: %s", (name, _what, one, other) => {
		const keys = [keyOf(name, one), keyOf(name, other)];
		expect(keys).not.toContain(null);
		expect(keys[0]).not.toBe(keys[1]);
		expect(joined(name, [one, other])).toContain("misfit: these inputs cannot");
	});
});

describe("an input is sent alone", () => {
	const many = (length: number) => Array.from({ length }, () => 1);
	test.each([
		["open-inference", "null"],
		["open-inference", ofRows("[2,2]", "[1,2,3,4]")],
		["open-inference", ofRows("[0,2]", "[]")],
		// Its neighbours would get what it has too much, or too little.
		["open-inference", ofRows("[1,2]", "[1]")],
		["open-inference", ofRows("[1,2]", "[1,2,3]")],
		["open-inference", ofRows("[1,2]", "[[1,2,3]]")],
		["open-inference", ofRows("[1,2]", "[[1],[2]]")],
		["open-inference", ofRows('[1,"2"]', "[1,2]")],
		["open-inference", tensor("[1,2]").replace("}]}", '}],"parameters":{"sequence_id":7}}')],
		["kserve-v1", "null"],
		["kserve-v1", "[[1],[2]]"],
		["kserve-v1", '{"instances":[]}'],
		["openai-embeddings", "null"],
		["openai-embeddings", '["a","b"]'],
		["openai-embeddings", "[]"],
		["huggingface", "null"],
		["huggingface", '["a","b"]'],
		["huggingface", "[]"],
		["huggingface", "[1]"],
		["huggingface", "7"],
		["huggingface", '{"question":"a","context":"b"}'],
		["huggingface", '{"inputs":"a","parameters":{"candidate_labels":["x"]}}'],
		["kserve-v1", JSON.stringify("x".repeat(MAX_BATCH_BYTES))],
		["kserve-v1", JSON.stringify("€".repeat(MAX_BATCH_BYTES / 2))],
		// Its key would be as long.
		["huggingface", JSON.stringify({ inputs: "a", parameters: many(10_000) })],
	])("%s %#", (name, text) => {
		expect(keyOf(name, text)).toBeNull();
	});

	test.each([
		["kserve-v1", "[1]", "https://a.example/v1/models/m:explain"],
		["huggingface", '"a"', "https://a.example/predict"],
	])("%s: %s to %s", (name, text, url) => {
		expect(keyOf(name, text)).not.toBeNull();
		expect(keyOf(name, text, url)).toBeNull();
	});

	test("that is bytes", () => {
		const input = inputOf({ kind: "binary", base64: "iVBORw==" });
		expect(batchOf("huggingface").key(input, context)).toBeNull();
	});
});

describe("one request", () => {
	test.each([
		[
			"open-inference",
			['{"a":9007199254740993,"b":"x"}', '{"a":2,"b":"y"}'],
			'{"id":"dlv_1","inputs":[{"name":"a","shape":[2],"datatype":"INT64","data":[9007199254740993,2]},{"name":"b","shape":[2],"datatype":"BYTES","data":["x","y"]}]}',
		],
		[
			"open-inference",
			[tensor("[[1,2]]"), tensor("[[3,4]]")],
			'{"id":"dlv_1","inputs":[{"name":"a","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4]]}]}',
		],
		["kserve-v1", ['{"a":1}', '{"a":9007199254740993}'], '{"instances":[{"a":1},{"a":9007199254740993}]}'],
		["openai-embeddings", ['"a cat"', '"a dog"'], '{"input":["a cat","a dog"],"model":"m"}'],
		["huggingface", ['{"inputs":"a","k":1}', '{"inputs":"b","k":1}'], '{"inputs":["a","b"],"k":1}'],
		["huggingface", ['["a"]', '["b"]'], '{"inputs":["a","b"]}'],
	])("%s %#", (name, texts, body) => {
		expect(joined(name, texts)).toBe(body);
	});

	test.each(Object.keys(SERVERS))("of %s is sent where a single one is", (name) => {
		const made = batchOf(name).join([of('["a"]'), of('["b"]')], context);
		const single = request(name, of('["a"]'));
		expect({ ...made, body: null }).toEqual({ ...single, body: null });
		// Of one input it is that very request, even if it holds several.
		for (const text of ['["a"]', '["a","b"]', "null"])
			expect(batchOf(name).join([of(text)], context)).toEqual(request(name, of(text)));
	});

	test("has at most so many inputs, and bytes", () => {
		const few = Array.from({ length: MAX_BATCH_INPUTS }, () => '"a"');
		expect(joined("kserve-v1", few)).toContain("instances");
		expect(joined("kserve-v1", [...few, '"a"'])).toContain("misfit: a request takes 256");
		expect(joined("kserve-v1", [])).toContain("misfit");
		const third = JSON.stringify("€".repeat(MAX_BATCH_BYTES / 9));
		expect(joined("kserve-v1", [third, third])).toContain("instances");
		expect(joined("kserve-v1", [third, third, third])).toContain("misfit: the inputs take more");
		expect(joined("kserve-v1", ['"a"', "null"])).toContain("misfit: there is no data");
	});
});

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

describe("a batch gives everyone what a request of its own would", () => {
	const text = fc.string({ unit: "grapheme", maxLength: 8 });
	const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
	const row = fc.oneof(
		fc.array(number, { minLength: 1, maxLength: 3 }),
		fc.array(text, { minLength: 1, maxLength: 2 }),
	);
	const record = fc.record({ a: fc.oneof(text, number), b: row }, { requiredKeys: ["a"] });
	const ownTensor = fc.tuple(number, number, fc.boolean()).map(([a, b, isNested]) => ({
		inputs: [{ name: "t", shape: [1, 2], datatype: "FP64", data: isNested ? [[a, b]] : [a, b] }],
	}));
	const value = fc.oneof(text, row, record, ownTensor, fc.array(row, { maxLength: 3 }), fc.constant(null));

	test.each(Object.keys(SERVERS))("%s", (name) => {
		const protocol = find(name);
		const batch = batchOf(name);
		const server = SERVERS[name] ?? (() => "");
		const respond = ({ body }: ModelRequest) =>
			exchangeOf({ status: 200, headers: JSON_TYPE, body: server(String(body)) });
		let together = 0;
		fc.assert(
			fc.property(fc.array(value, { maxLength: 12 }), (values) => {
				const inputs = values.map((each) => of(JSON.stringify(each)));
				const groups = Map.groupBy(inputs, (input) => batch.key(input, context));
				groups.delete(null);
				for (const group of groups.values()) {
					const made = batch.join(group, context);
					if ("misfit" in made) throw new Error(made.misfit);
					const singles = group.map((input) => {
						const single = protocol.request(input, context);
						if ("misfit" in single) throw new Error(single.misfit);
						return protocol.read(respond(single), context).output;
					});
					expect(batch.split(respond(made), group.length)).toEqual(singles);
					if (group.length > 1) together++;
				}
			}),
		);
		expect(together).toBeGreaterThan(20);
	});
});
