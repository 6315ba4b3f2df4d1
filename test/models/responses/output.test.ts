import { describe, expect, test } from "vitest";
import { readOutput } from "../../../src/models/responses/output.ts";
import type { ModelOutput } from "../../../src/models/exchange.ts";

function read(
	body: string | Uint8Array<ArrayBuffer>,
	headers: Record<string, string> = {},
	status = 200,
): ModelOutput {
	const bytes = typeof body === "string" ? Buffer.from(body) : body;
	return readOutput({ status, headers, body: bytes });
}

const event = { specversion: "1.0", id: "1", source: "/models/ocr", type: "ocr.completed" };
const eventHeaders = {
	"ce-specversion": "1.0",
	"ce-id": "1",
	"ce-source": "/models/ocr",
	"ce-type": "ocr.completed",
};
const attributes = { id: "1", source: "/models/ocr", type: "ocr.completed" };

describe("plain data", () => {
	test.each([
		["application/json", '{"id": 9007199254740993, "ratio": 1.50, "b": 1, "a": 2}'],
		["application/json; charset=utf-8", " [1,\n2] "],
		["application/problem+json", "null"],
		["application/json", '"Zoë"'],
	])("as %s keeps its text: %s", (contentType, text) => {
		expect(read(text, { "content-type": contentType })).toEqual({
			kind: "data",
			data: { kind: "json", text },
			contentType,
		});
	});

	test.each(["text/plain", "text/csv; charset=utf-8", "application/xml"])("as %s is text", (contentType) => {
		expect(read("Zoë,1", { "content-type": contentType })).toEqual({
			kind: "data",
			data: { kind: "text", text: "Zoë,1" },
			contentType,
		});
	});

	test.each(["image/png", "application/octet-stream", "text/plain; charset=iso-8859-1"])(
		"as %s is bytes",
		(contentType) => {
			expect(read(new Uint8Array([0xeb, 0, 1]), { "content-type": contentType })).toEqual({
				kind: "data",
				data: { kind: "binary", base64: "6wAB" },
				contentType,
			});
		},
	);

	test.each([
		['{"text": "hello"}', { kind: "json", text: '{"text": "hello"}' }, "application/json"],
		["hello", { kind: "text", text: "hello" }, "text/plain"],
		[new Uint8Array([0xff, 0xd8]), { kind: "binary", base64: "/9g=" }, "application/octet-stream"],
	])("without a content type is taken for what it looks like: %s", (body, data, contentType) => {
		expect(read(body)).toEqual({ kind: "data", data, contentType });
	});

	test.each(["", "json", "text/plain; name=é", `text/${"x".repeat(2_000)}`])(
		"under a content type that is none is taken for what it looks like: %s",
		(contentType) => {
			expect(read("hello", { "content-type": contentType })).toEqual({
				kind: "data",
				data: { kind: "text", text: "hello" },
				contentType: "text/plain",
			});
		},
	);

	test("in UTF-8 that is called Latin-1 is JSON, and says so", () => {
		expect(read('["é"]', { "content-type": "application/json; charset=iso-8859-1" })).toEqual({
			kind: "data",
			data: { kind: "json", text: '["é"]' },
			contentType: "application/json",
		});
	});

	test("that only claims to be JSON is kept as text, and says so", () => {
		expect(read('{"text": hello}', { "content-type": "application/json" })).toEqual({
			kind: "data",
			data: { kind: "text", text: '{"text": hello}' },
			contentType: "text/plain; charset=utf-8",
		});
	});

	test("that claims to be JSON and is not even text is kept as bytes", () => {
		expect(read(new Uint8Array([0xff, 0xd8]), { "content-type": "application/json" })).toEqual({
			kind: "data",
			data: { kind: "binary", base64: "/9g=" },
			contentType: "application/octet-stream",
		});
	});
});

function structured(data: string): string {
	return `${JSON.stringify(event).slice(0, -1)},"data":${data}}`;
}

describe("JSON beyond the limits for publishers' JSON is kept as text, and says so", () => {
	const deep = `${"[".repeat(400_000)}${"]".repeat(400_000)}`;
	const twice = '{"label": "cat", "label": "dog"}';

	test.each([
		["nested 400,000 levels", deep, { "content-type": "application/json" }],
		[
			"nested one level too many",
			`${"[".repeat(1_001)}${"]".repeat(1_001)}`,
			{ "content-type": "application/json" },
		],
		["without a content type", deep, {}],
		["called Latin-1", `["é",${deep}]`, { "content-type": "application/json; charset=iso-8859-1" }],
		["with a member twice", twice, { "content-type": "application/problem+json" }],
		[
			"a CloudEvent with a member twice",
			structured('1,"data":2'),
			{ "content-type": "application/cloudevents+json" },
		],
		["a CloudEvent around it", structured(deep), { "content-type": "application/cloudevents+json" }],
		["in a CloudEvent in binary mode", twice, { ...eventHeaders, "content-type": "application/json" }],
		["a batch", `[${structured(deep)}]`, { "content-type": "application/cloudevents-batch+json" }],
	])("%s", (_what, text, headers) => {
		expect(read(text, headers)).toEqual({
			kind: "data",
			data: { kind: "text", text },
			contentType: "text/plain; charset=utf-8",
		});
	});

	test("up to them it is JSON, and lines of JSON are no JSON", () => {
		const text = `${"[".repeat(1_000)}${"]".repeat(1_000)}`;
		expect(read(text, { "content-type": "application/json" })).toMatchObject({
			data: { kind: "json", text },
		});
		const inside = '[{"a":1,"a":2}]';
		expect(read(inside, { "content-type": "application/json" })).toMatchObject({ data: { kind: "json" } });
		const lines = `${twice}\n${twice}\n`;
		expect(read(lines, { "content-type": "application/x-ndjson" })).not.toMatchObject({
			data: { kind: "json" },
		});
	});
});

describe("a CloudEvent", () => {
	test("in structured mode is an event, its data unchanged", () => {
		const body = `${JSON.stringify(event).slice(0, -1)},"data":{"n": 9007199254740993}}`;
		expect(read(body, { "content-type": "application/cloudevents+json" })).toEqual({
			kind: "event",
			attributes,
			data: { kind: "json", text: '{"n": 9007199254740993}' },
		});
	});

	test("in binary mode is an event, with its extensions", () => {
		expect(read("hello", { ...eventHeaders, "content-type": "text/plain", "ce-page": "3" })).toEqual({
			kind: "event",
			attributes: { ...attributes, datacontenttype: "text/plain", page: "3" },
			data: { kind: "text", text: "hello" },
		});
	});

	test("without data is an event all the same", () => {
		expect(read("", eventHeaders)).toEqual({ kind: "event", attributes, data: null });
	});

	test("that is not valid is data", () => {
		const { type: _, ...incomplete } = event;
		expect(
			read(JSON.stringify(incomplete), { "content-type": "application/cloudevents+json" }),
		).toMatchObject({
			kind: "data",
			data: { kind: "json", text: JSON.stringify(incomplete) },
		});
		expect(read("hello", { "ce-id": "1", "content-type": "text/plain" })).toMatchObject({
			kind: "data",
			data: { kind: "text", text: "hello" },
		});
	});

	test("with longer attributes than an event may have is data", () => {
		const long = JSON.stringify({ ...event, note: "x".repeat(1_025), data: 1 });
		expect(read(long, { "content-type": "application/cloudevents+json" })).toEqual({
			kind: "data",
			data: { kind: "json", text: long },
			contentType: "application/cloudevents+json",
		});
		const headers = { ...eventHeaders, "ce-note": "x".repeat(1_025), "content-type": "text/plain" };
		expect(read("hello", headers)).toEqual({
			kind: "data",
			data: { kind: "text", text: "hello" },
			contentType: "text/plain",
		});
	});

	test("in a batch is data: an output is one result", () => {
		const batch = JSON.stringify([event, event]);
		expect(read(batch, { "content-type": "application/cloudevents-batch+json" })).toMatchObject({
			kind: "data",
			data: { kind: "json", text: batch },
		});
	});
});

describe("nothing", () => {
	test.each([202, 204])("is in a %i, whatever its body looks like", (status) => {
		expect(
			read(JSON.stringify(event), { "content-type": "application/cloudevents+json" }, status),
		).toBeNull();
		expect(read("hello", { "content-type": "text/plain" }, status)).toBeNull();
	});

	test("is in an empty body", () => {
		expect(read("", { "content-type": "application/json" })).toBeNull();
		expect(read("")).toBeNull();
	});
});
