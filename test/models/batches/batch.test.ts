import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_BATCH_BYTES, MAX_BATCH_INPUTS } from "../../../src/models/batches/batch.ts";
import type { ModelRequest } from "../../../src/models/protocol.ts";
import { PROTOCOL_NAMES } from "../../../src/models/registry.ts";
import { batchOf, context, joined, JSON_TYPE, keyOf, of } from "./batches.ts";
import { exchangeOf, find, inputOf, request } from "../captures.ts";
import { SERVERS } from "./fake-batch-servers.ts";

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
		["huggingface", JSON.stringify({ inputs: "a", parameters: Array(10_000).fill(1) })],
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

	test("has a maximum number of inputs and bytes", () => {
		const few = Array.from({ length: MAX_BATCH_INPUTS }, () => '"a"');
		expect(joined("kserve-v1", few)).toContain("instances");
		expect(joined("kserve-v1", [...few, '"a"'])).toContain("misfit: a request can have at most 256");
		expect(joined("kserve-v1", [])).toContain("misfit");
		const third = JSON.stringify("€".repeat(MAX_BATCH_BYTES / 9));
		expect(joined("kserve-v1", [third, third])).toContain("instances");
		expect(joined("kserve-v1", [third, third, third])).toContain("misfit: the inputs have more");
		expect(joined("kserve-v1", ['"a"', "null"])).toContain("misfit: there is no data");
	});
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
