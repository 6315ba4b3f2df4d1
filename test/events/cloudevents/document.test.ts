import { describe, expect, test } from "vitest";
import { documentOf, exactDocumentOf } from "../../../src/events/cloudevents/document.ts";
import type { CloudEvent, EventData } from "../../../src/events/event.ts";
import { evaluateToJson } from "../expressions/to-json.ts";

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

describe("numbers that JavaScript cannot hold", () => {
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

	test.each(["1e400", "-1e400", "1E-400", "123456789012345678.5e2"])(
		"and what no number of JavaScript holds, like %s, is handed on as it came",
		async (number) => {
			const record = event({ kind: "json", text: `{"n": ${number}}` });
			expect(await evaluateToJson('{"m": [data.n]}', exactDocumentOf(record))).toEqual({
				ok: true,
				json: `{"m":[${number}]}`,
			});
		},
	);

	test.each(["1/0", "-1/0", "0/0", "data.n * 10", "[1, $number('1e300') * $number('1e300')]"])(
		"%s gives no number, and is refused instead of null",
		async (transform) => {
			const record = event({ kind: "json", text: '{"n": 1e308}' });
			expect(await evaluateToJson(`{"m": ${transform}}`, exactDocumentOf(record))).toMatchObject({
				ok: false,
				message: expect.stringMatching(/number/i),
				overrun: false,
			});
		},
	);

	test("can still be compared in a condition", async () => {
		expect(await evaluateToJson("data.id > 5", documentOf(record))).toEqual({ ok: true, json: "true" });
	});
});
