import { describe, expect, test } from "vitest";
import { documentOf, exactDocumentOf } from "../../src/events/document.ts";
import type { CloudEvent, EventData } from "../../src/events/event.ts";
import { evaluateToJson } from "../../src/events/expressions/expression.ts";

function event(data: EventData | null): CloudEvent {
	return { attributes: { id: "1", source: "/docs", type: "t", priority: 3 }, data };
}

test.each<[string, EventData | null, object]>([
	["JSON is parsed", { kind: "json", text: '{"a":[1]}' }, { data: { a: [1] } }],
	["text stays text", { kind: "text", text: '{"a":1}' }, { data: '{"a":1}' }],
	[
		"bytes have the name that CloudEvents gives them",
		{ kind: "binary", base64: "AAE=" },
		{ data_base64: "AAE=" },
	],
	["no data is no member", null, {}],
])("%s", (_what, data, expected) => {
	expect(documentOf(event(data))).toEqual({
		specversion: "1.0",
		id: "1",
		source: "/docs",
		type: "t",
		priority: 3,
		...expected,
	});
});

describe("integers beyond 2^53", () => {
	const record = event({ kind: "json", text: '{"id": 9007199254740993, "list": [-9223372036854775808, 7]}' });

	test.each([
		["data.id", "9007199254740993"],
		['{"key": data.id, "all": data.list}', '{"key":9007199254740993,"all":[-9223372036854775808,7]}'],
		["data.list[0]", "-9223372036854775808"],
		["data", '{"id":9007199254740993,"list":[-9223372036854775808,7]}'],
		["$string(data.id)", '"9007199254740993"'],
		["data.list[1] + 1", "8"],
		["data ~> |$|{'seen': true}, 'list'|", '{"id":9007199254740993,"seen":true}'],
	])("keep their digits through the transform %s", async (transform, json) => {
		expect(await evaluateToJson(transform, exactDocumentOf(record))).toEqual({ ok: true, json });
	});

	test("can still be compared in a condition", async () => {
		expect(await evaluateToJson("data.id > 5", documentOf(record))).toEqual({ ok: true, json: "true" });
	});
});
