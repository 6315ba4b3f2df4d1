import { CloudEvent as SdkEvent, HTTP } from "cloudevents";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkAttributes } from "../../../src/events/cloudevents/attributes.ts";
import {
	BATCH_TYPE,
	type Decoded,
	STRUCTURED_TYPE,
	decodeCloudEvents,
	encodeBinary,
	encodeStructured,
} from "../../../src/events/cloudevents/cloudevents.ts";
import { type CloudEvent, MAX_BATCH_EVENTS } from "../../../src/events/event.ts";

const REQUIRED = '"specversion":"1.0","id":"1","source":"/s","type":"t"';
const CE_HEADERS = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t" };

function decode(headers: Record<string, string>, body: string | Uint8Array = ""): Decoded {
	return decodeCloudEvents(
		new Headers(headers),
		typeof body === "string" ? new TextEncoder().encode(body) : body,
	);
}

function structured(body: string, contentType: string = STRUCTURED_TYPE): Decoded {
	return decode({ "content-type": contentType }, body);
}

function only(decoded: Decoded): CloudEvent {
	if (!decoded.ok) throw new Error(`refused: ${decoded.message}`);
	const [event] = decoded.events;
	if (event === undefined || decoded.events.length > 1) throw new Error("not one event");
	return event;
}

describe("the mode follows from the content type", () => {
	test.each([
		["structured", { "content-type": "application/cloudevents+json" }, `{${REQUIRED}}`, false],
		[
			"with a charset",
			{ "content-type": "Application/CloudEvents+JSON; charset=UTF-8" },
			`{${REQUIRED}}`,
			false,
		],
		[
			"batch",
			{ "content-type": "application/cloudevents-batch+json; charset=utf-8" },
			`[{${REQUIRED}}]`,
			true,
		],
		[
			"a list under the single type",
			{ "content-type": "application/cloudevents+json" },
			`[{${REQUIRED}}]`,
			true,
		],
		[
			"ASCII by another name",
			{ "content-type": "application/cloudevents+json; charset=ISO-8859-1" },
			`{${REQUIRED}}`,
			false,
		],
		["binary", CE_HEADERS, "", false],
		[
			"structured, whatever ce- headers say",
			{ ...CE_HEADERS, "content-type": STRUCTURED_TYPE },
			`{${REQUIRED}}`,
			false,
		],
	])("%s", (_what, headers, body, batch) => {
		const decoded = decode(headers, body);
		expect(decoded).toEqual({
			ok: true,
			events: [{ attributes: { id: "1", source: "/s", type: "t" }, data: null }],
			batch,
		});
	});

	test.each([
		["no CloudEvent at all", { "content-type": "application/json" }],
		["no content type and no ce- headers", {}],
		["another event format", { ...CE_HEADERS, "content-type": "application/cloudevents+avro" }],
		["another charset", { "content-type": "application/cloudevents+json; charset=utf-16" }],
	])("415: %s", (_what, headers) => {
		expect(decode(headers, "{}")).toMatchObject({ ok: false, status: 415, code: "unsupported_media_type" });
	});
});

describe("binary mode", () => {
	test("header names know no case, values are unquoted and percent-decoded once", () => {
		const headers = { "CE-SpecVersion": "1.0", "Ce-Id": '"%2541 x"', "ce-source": "/a", "CE-TYPE": "t" };
		const event = only(decode({ ...headers, "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80" }));
		expect(event.attributes).toEqual({ id: "%41 x", source: "/a", type: "t", subject: "Euro € 😀" });
	});

	test("content-type is datacontenttype, and wins over a copy of it", () => {
		const event = only(
			decode({ ...CE_HEADERS, "ce-datacontenttype": "text/html", "content-type": "text/csv" }, "a,b"),
		);
		expect(event.attributes.datacontenttype).toBe("text/csv");
	});

	test.each([
		[
			"JSON keeps its text",
			"application/json",
			'{ "n": 9007199254740993 }',
			{ kind: "json", text: '{ "n": 9007199254740993 }' },
		],
		["a JSON dialect", "application/vnd.api+json; v=1", "[1.0]", { kind: "json", text: "[1.0]" }],
		["text/json", "text/json", "1", { kind: "json", text: "1" }],
		["text", "text/plain; charset=utf-8", "h\u00e9", { kind: "text", text: "h\u00e9" }],
		["text keeps its byte order mark", "text/plain", "\uFEFFx", { kind: "text", text: "\uFEFFx" }],
		["XML", "application/xml", "<a/>", { kind: "text", text: "<a/>" }],
		["an image", "image/png", new Uint8Array([0x89, 0x50, 0xff]), { kind: "binary", base64: "iVD/" }],
		["text that is not UTF-8", "text/plain", new Uint8Array([0xe9]), { kind: "binary", base64: "6Q==" }],
		["ASCII by another name", "text/plain; charset=iso-8859-1", "abc", { kind: "text", text: "abc" }],
		[
			"text in another charset",
			"text/plain; charset=iso-8859-1",
			new Uint8Array([0xc3, 0xa9]),
			{ kind: "binary", base64: "w6k=" },
		],
		["JSON by another name", "application/json; charset=latin1", "[1]", { kind: "json", text: "[1]" }],
		["nothing, though JSON", "application/json", "", null],
	])("data: %s", (_what, contentType, body, data) => {
		expect(only(decode({ ...CE_HEADERS, "content-type": contentType }, body)).data).toEqual(data);
	});

	test.each(["utf8", "latin1"] as const)("JSON in Latin-1 is refused: é in %s", (encoding) => {
		const headers = { ...CE_HEADERS, "content-type": "application/json; charset=iso-8859-1" };
		const refusal = decode(headers, Buffer.from('{"a":"é"}', encoding));
		expect(refusal).toMatchObject({ ok: false, status: 415, code: "unsupported_media_type" });
	});

	test("a body of unknown type is bytes", () => {
		expect(only(decode(CE_HEADERS, "{}"))).toEqual({
			attributes: { id: "1", source: "/s", type: "t" },
			data: { kind: "binary", base64: "e30=" },
		});
	});

	test.each([
		[
			"a required attribute is missing",
			{ "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s" },
			"invalid_cloudevent",
			"type",
		],
		[
			"specversion is missing",
			{ "ce-id": "1", "ce-source": "/s", "ce-type": "t" },
			"invalid_cloudevent",
			"specversion",
		],
		["invalid UTF-8 in a value", { ...CE_HEADERS, "ce-subject": "%C0%A0" }, "invalid_cloudevent", "subject"],
		["an encoded line break", { ...CE_HEADERS, "ce-note": "a%0Ab" }, "invalid_cloudevent", "note"],
		["a name with a dash", { ...CE_HEADERS, "ce-my-ext": "x" }, "invalid_cloudevent", "my-ext"],
		["broken JSON", { ...CE_HEADERS, "content-type": "application/json" }, "invalid_json", undefined],
	])("refused: %s", (_what, headers, code, path) => {
		const refusal = decode(headers, "{");
		expect(refusal).toMatchObject({ ok: false, status: 400, code });
		expect(refusal).toHaveProperty("message");
		expect("path" in refusal ? refusal.path : undefined).toBe(path);
	});
});

describe("structured mode", () => {
	test.each([
		[
			"an object, byte for byte",
			'"data":{ "b": 1.50, "a":9007199254740993 }',
			{ kind: "json", text: '{ "b": 1.50, "a":9007199254740993 }' },
		],
		["null is data", '"data":null', { kind: "json", text: "null" }],
		[
			"a string is a JSON string",
			String.raw`"data":"a\u00e9"`,
			{ kind: "json", text: String.raw`"a\u00e9"` },
		],
		[
			"a string of another type is text",
			'"data":"<a/>","datacontenttype":"text/xml"',
			{ kind: "text", text: "<a/>" },
		],
		[
			"an object of another type is JSON",
			'"data":{"a":1},"datacontenttype":"text/xml"',
			{ kind: "json", text: '{"a":1}' },
		],
		["base64", '"data_base64":"iVD/","datacontenttype":"image/png"', { kind: "binary", base64: "iVD/" }],
		["none", '"data_base64":null', null],
	])("data: %s", (_what, members, data) => {
		expect(only(structured(`{${REQUIRED},${members}}`)).data).toEqual(data);
	});

	test("900 levels of nesting pass unchanged", () => {
		const deep = "[".repeat(900) + "]".repeat(900);
		expect(only(structured(`{${REQUIRED},"data":${deep}}`)).data).toEqual({ kind: "json", text: deep });
	});

	test.each([
		[
			"data and data_base64",
			`{${REQUIRED},"data":1,"data_base64":"YQ=="}`,
			"invalid_cloudevent",
			"data_base64",
		],
		["base64 that is none", `{${REQUIRED},"data_base64":"a-b_"}`, "invalid_cloudevent", "data_base64"],
		["a list as attribute", `{${REQUIRED},"tags":[]}`, "invalid_cloudevent", "tags"],
		[
			"a bad event in a batch",
			`[{${REQUIRED}},{"specversion":"1.0","id":"2","source":"/s"}]`,
			"invalid_cloudevent",
			"[1].type",
		],
		[
			"bad data in a batch",
			`[{${REQUIRED},"data":1,"data_base64":"YQ=="}]`,
			"invalid_cloudevent",
			"[0].data_base64",
		],
		[
			"a source that is no URI reference",
			'{"specversion":"1.0","id":"1","source":"/a b","type":"t"}',
			"invalid_cloudevent",
			"source",
		],
		["a member twice", `{${REQUIRED},"data":1,"data":2}`, "duplicate_member", undefined],
		[
			"10,000 levels of nesting",
			`{${REQUIRED},"data":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
			"nested_too_deep",
			undefined,
		],
		["no object in a batch", `[{${REQUIRED}},null]`, "invalid_cloudevent", "[1]"],
		["an empty batch", "[]", "invalid_cloudevent", undefined],
		["no object", '"event"', "invalid_cloudevent", undefined],
		["no JSON", "{", "invalid_json", undefined],
		["nothing", "", "invalid_json", undefined],
	])("refused: %s", (_what, body, code, path) => {
		const refusal = structured(body);
		expect(refusal).toMatchObject({ ok: false, status: 400, code });
		expect("path" in refusal ? refusal.path : undefined).toBe(path);
	});

	test("a batch type holds a list", () => {
		expect(structured(`{${REQUIRED}}`, BATCH_TYPE)).toMatchObject({ ok: false, code: "invalid_cloudevent" });
	});

	test("invalid UTF-8 is no JSON", () => {
		const body = new Uint8Array([
			...new TextEncoder().encode(`{${REQUIRED},"data":"`),
			0xc0,
			0xa0,
			0x22,
			0x7d,
		]);
		expect(decode({ "content-type": STRUCTURED_TYPE }, body)).toMatchObject({
			ok: false,
			code: "invalid_json",
		});
	});

	test("a batch keeps its order, and has an end", () => {
		const many = Array.from({ length: MAX_BATCH_EVENTS }, (_, id) => numbered(id));
		const decoded = structured(`[${many.join(",")}]`, BATCH_TYPE);
		expect(decoded.ok && decoded.events.map(({ data }) => data)).toEqual(
			many.map((_, id) => ({ kind: "json", text: `${id}.0` })),
		);
		expect(structured(`[${[...many, numbered(0)].join(",")}]`, BATCH_TYPE)).toMatchObject({
			ok: false,
			status: 413,
			code: "too_many_events",
		});
	});
});

const EVENTS: [what: string, event: CloudEvent][] = [
	["without data", { attributes: { id: "1", source: "/s", type: "t" }, data: null }],
	[
		"JSON without a content type",
		{
			attributes: { id: "1", source: "/s", type: "t" },
			data: { kind: "json", text: '{"n": 9007199254740993}' },
		},
	],
	[
		"JSON with every sort of attribute",
		{
			attributes: {
				id: "a b",
				source: "/s%20",
				type: "t",
				subject: 'Euro € 😀 "x"',
				time: "2026-01-01T00:00:00Z",
				datacontenttype: "application/json; charset=utf-8",
				dataschema: "urn:x",
				myext: "5",
			},
			data: { kind: "json", text: "[1.0]" },
		},
	],
	[
		"text",
		{
			attributes: { id: "1", source: "/s", type: "t", datacontenttype: "text/plain" },
			data: { kind: "text", text: 'line\n"quoted" é' },
		},
	],
	[
		"bytes",
		{
			attributes: { id: "1", source: "/s", type: "t", datacontenttype: "image/png" },
			data: { kind: "binary", base64: "iVD/" },
		},
	],
];

describe("an encoded event is decoded unchanged", () => {
	test.each(EVENTS)("structured: %s", (_what, event) => {
		expect(only(structured(encodeStructured(event)))).toEqual(event);
	});

	test.each(EVENTS)("binary: %s", (_what, event) => {
		const { headers, body } = encodeBinary(event);
		const { data, attributes } = only(decode(headers, body));
		expect(data).toEqual(event.data);
		// The content type that the JSON format implies has to be said outside of it.
		const implied = event.data?.kind === "json" ? { datacontenttype: "application/json" } : {};
		expect(attributes).toEqual({ ...implied, ...event.attributes });
	});

	test("integers and booleans keep their type in the JSON format and are text in headers", () => {
		const event: CloudEvent = {
			attributes: { id: "1", source: "/s", type: "t", n: -5, b: true },
			data: null,
		};
		expect(JSON.parse(encodeStructured(event))).toMatchObject({ n: -5, b: true });
		expect(encodeBinary(event).headers).toMatchObject({ "ce-n": "-5", "ce-b": "true" });
	});

	test("an event without data has an empty body and no content type", () => {
		const { headers, body } = encodeBinary({ attributes: { id: "1", source: "/s", type: "t" }, data: null });
		expect(body).toHaveLength(0);
		expect(body).not.toBeTypeOf("string");
		expect(headers).not.toHaveProperty("content-type");
	});
});

describe("the official SDK is understood, and understands", () => {
	const sdkEvent = new SdkEvent({
		id: "A-1",
		source: "/sdk",
		type: "com.example.made",
		subject: "scans/1.png",
		time: "2026-01-02T03:04:05.006Z",
		myext: "value",
		data: { size: 5, name: "é" },
	});
	const expected = {
		id: "A-1",
		source: "/sdk",
		type: "com.example.made",
		subject: "scans/1.png",
		time: "2026-01-02T03:04:05.006Z",
		myext: "value",
	};

	test.each([
		["binary", HTTP.binary(sdkEvent)],
		["structured", HTTP.structured(sdkEvent)],
	])("its %s request is read", (_mode, { headers, body }) => {
		const event = only(decode(headers as Record<string, string>, body as string));
		expect(event.attributes).toMatchObject(expected);
		expect(event.data?.kind === "json" && JSON.parse(event.data.text)).toEqual({ size: 5, name: "é" });
	});

	test("its binary data is read", () => {
		// The SDK takes each element for one byte.
		const bytes = Uint32Array.of(1, 2, 3, 250);
		const { headers, body } = HTTP.structured(
			new SdkEvent({ id: "1", source: "/s", type: "t", datacontenttype: "image/png", data: bytes }),
		);
		const event = only(decode(headers as Record<string, string>, body as string));
		expect(event.data).toEqual({ kind: "binary", base64: "AQID+g==" });
	});

	test.each(["structured", "binary"])("it reads our %s request", (mode) => {
		const event: CloudEvent = {
			attributes: { ...expected, datacontenttype: "application/json" },
			data: { kind: "json", text: '{"size":5,"name":"é"}' },
		};
		const message =
			mode === "structured"
				? { headers: { "content-type": STRUCTURED_TYPE }, body: encodeStructured(event) }
				: encodeBinary(event);
		const read = HTTP.toEvent(message) as SdkEvent<unknown>;
		expect(read.validate()).toBe(true);
		expect(read.toJSON()).toMatchObject({ ...expected, data: { size: 5, name: "é" } });
	});
});

describe("any request gives a valid event or a refusal", () => {
	const valid = [
		`{${REQUIRED},"data":{"a":[1,"}"]},"subject":"x"}`,
		`[{${REQUIRED},"data_base64":"YQ=="},{${REQUIRED},"data":"t","datacontenttype":"text/plain"}]`,
	];
	const body = fc
		.tuple(fc.constantFrom(...valid), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
		.map(([text, changes]) => {
			const bytes = new TextEncoder().encode(text);
			for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
			return bytes;
		});
	const contentType = fc.oneof(
		fc.constantFrom(STRUCTURED_TYPE, BATCH_TYPE, "application/json", "text/plain", "image/png"),
		headerText(),
	);
	const attributes = fc.dictionary(
		fc.constantFrom("id", "source", "type", "specversion", "time", "x", "data"),
		headerText(),
	);

	test("property", () => {
		fc.assert(
			fc.property(contentType, attributes, fc.boolean(), body, (type, extra, isBinary, bytes) => {
				const headers = new Headers(isBinary ? CE_HEADERS : {});
				headers.set("content-type", type);
				for (const [name, value] of Object.entries(extra)) headers.set(`ce-${name}`, value);
				const decoded = decodeCloudEvents(headers, bytes);
				if (!decoded.ok) {
					expect([400, 413, 415]).toContain(decoded.status);
					return;
				}
				expect(decoded.events.length).toBeGreaterThan(0);
				for (const event of decoded.events) {
					const raw = Object.entries({ specversion: "1.0", ...event.attributes });
					expect(checkAttributes(raw)).toEqual({ ok: true, attributes: event.attributes });
					expect(only(structured(encodeStructured(event))).attributes).toEqual(event.attributes);
				}
			}),
			{ numRuns: 1_000 },
		);
	});
});

function headerText(): fc.Arbitrary<string> {
	return fc.string({ unit: "grapheme-ascii" }).map((text) => text.trim());
}

function numbered(id: number): string {
	return `{"specversion":"1.0","id":"${id}","source":"/s","type":"t","data":${id}.0}`;
}
