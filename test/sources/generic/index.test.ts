import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkAttributes } from "../../../src/events/cloudevents/attributes.ts";
import type { CloudEvent } from "../../../src/events/event.ts";
import type { Parsed } from "../../../src/sources/kind.ts";
import type { ReadableSource } from "../../../src/store/records.ts";
import { parseWith } from "../bind.ts";
import { makeSource } from "../make-source.ts";

const JSON_TYPE = { "content-type": "application/json" };
const ROW = '{"type":"INSERT","record":{"id":9007199254740993,"path":"scans/1.png","ok":true,"list":[1]}}';
const FRESH_ID = "11111111-2222-4333-8444-555555555555";

function parse(
	settings: Partial<ReadableSource>,
	headers: Record<string, string>,
	body: string | Uint8Array = "",
): Promise<Parsed> {
	return parseWith("generic", {
		source: makeSource({ name: "documents-db", ...settings }),
		headers: new Headers(headers),
		body: typeof body === "string" ? new TextEncoder().encode(body) : body,
		now: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
		freshId: FRESH_ID,
	});
}

async function only(parsing: Promise<Parsed>): Promise<CloudEvent> {
	const parsed = await parsing;
	if (!parsed.ok) throw new Error(`refused: ${parsed.message}`);
	const [event] = parsed.events;
	if (event === undefined || parsed.events.length > 1) throw new Error("not one event");
	return event;
}

test("without settings the source names the event, and the receipt dates it", async () => {
	expect(await parse({}, JSON_TYPE, ROW)).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: FRESH_ID,
					source: "/sources/documents-db",
					type: "documents-db",
					time: "2026-01-02T03:04:05.006Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: ROW },
			},
		],
		batch: false,
		unresolved: [],
	});
});

describe("data follows the content type", () => {
	const PNG = new Uint8Array([0x89, 0x50, 0xff]);
	test.each([
		["JSON", "application/json", '{ "a": 1.0 }', { kind: "json", text: '{ "a": 1.0 }' }],
		["a form", "application/x-www-form-urlencoded", "a=1&b=2", { kind: "text", text: "a=1&b=2" }],
		["text", "text/plain;charset=UTF-8", "{}", { kind: "text", text: "{}" }],
		["an image", "image/png", PNG, { kind: "binary", base64: "iVD/" }],
		["no text", "text/plain", "", null],
	])("%s", async (_what, contentType, body, data) => {
		const event = await only(parse({}, { "content-type": contentType }, body));
		expect(event.data).toEqual(data);
		expect(event.attributes.datacontenttype).toBe(contentType);
	});

	test.each([
		["JSON", '[1, "é"]', "application/json", { kind: "json", text: '[1, "é"]' }],
		["text", "hello", "text/plain", { kind: "text", text: "hello" }],
		["bytes", PNG, "application/octet-stream", { kind: "binary", base64: "iVD/" }],
		["nothing", "", undefined, null],
	])("without one it is guessed: %s", async (_what, body, contentType, data) => {
		for (const headers of [{}, { "content-type": "nonsense" }]) {
			const event = await only(parse({}, headers, body));
			expect(event.data).toEqual(data);
			expect(event.attributes.datacontenttype).toBe(contentType);
		}
	});

	test.each([
		["broken JSON, with its place", '{"a":}', /at character 5\.$/],
		["truncated JSON", '{"a":', /ends unexpectedly/],
		["no JSON at all", "", /empty/],
		["only spaces", "  ", /empty/],
		["invalid UTF-8", new Uint8Array([0x22, 0xc0, 0xa0, 0x22]), /UTF-8/],
	])("refused: %s", async (_what, body, message) => {
		const refusal = await parse({}, JSON_TYPE, body);
		expect(refusal).toMatchObject({ ok: false, status: 400, code: "invalid_json" });
		expect(refusal).toHaveProperty("message", expect.stringMatching(message));
	});
});

describe("type and subject", () => {
	test.each([
		["literals", { eventType: "document.inserted", subject: "scans" }, "document.inserted", "scans"],
		[
			"from the body",
			{ eventType: '="row." & $lowercase(body.type)', subject: "=body.record.path" },
			"row.insert",
			"scans/1.png",
		],
		["from headers, in lower case", { eventType: "=headers.`x-event`" }, "push", undefined],
		["large integers keep their digits", { subject: "=body.record.id" }, "documents-db", "9007199254740993"],
		["booleans and numbers are text", { eventType: "=body.record.ok", subject: "=1+1" }, "true", "2"],
	])("%s", async (_what, settings, type, subject) => {
		const { attributes } = await only(parse(settings, { ...JSON_TYPE, "X-Event": "push" }, ROW));
		expect(attributes.type).toBe(type);
		expect(attributes.subject).toBe(subject);
	});

	test.each([
		["nothing matches", "=body.missing"],
		["it fails", "=$number(body.record.path)"],
		["it is no JSONata", "=body.("],
		["it runs away", "=($f := function($x) { $f($x + 1) + 1 }; $f(0))"],
		["it gives an object", "=body.record"],
		["it gives an empty text", '=""'],
		["it gives a control character", '="a\\nb"'],
		["it gives far too much", '=$join([1..2000].("x"))'],
	])("the event survives when %s", async (_what, expression) => {
		const parsed = await parse({ eventType: expression, subject: expression }, JSON_TYPE, ROW);
		expect(parsed).toMatchObject({ ok: true, unresolved: ["event_type", "subject"] });
		const attributes = parsed.ok ? parsed.events[0]?.attributes : undefined;
		expect(attributes?.type).toBe("documents-db");
		expect(attributes).not.toHaveProperty("subject");
	});

	test("a text body is a string for expressions", async () => {
		const { attributes } = await only(
			parse({ subject: "=$uppercase(body)" }, { "content-type": "text/plain" }, "abc"),
		);
		expect(attributes.subject).toBe("ABC");
	});
});

describe("when two events are the same", () => {
	const webhookIds = { "webhook-id": "msg_1", "idempotency-key": "key-1" };
	const dedupeKey = "body.record.id";
	test.each([
		[
			"the dedupe key first",
			{ dedupeKey, auth: { type: "standard_webhooks" } },
			webhookIds,
			"9007199254740993",
		],
		["then a signed id", { auth: { type: "standard_webhooks" } }, webhookIds, "msg_1"],
		["by its svix name too", { auth: { type: "standard_webhooks" } }, { "svix-id": "msg_2" }, "msg_2"],
		["then Idempotency-Key", { auth: { type: "bearer" } }, webhookIds, "key-1"],
		["else nothing", {}, { "webhook-id": "msg_1" }, FRESH_ID],
		["the next one when the key fails", { dedupeKey: "body.missing" }, webhookIds, "key-1"],
	] satisfies [string, Partial<ReadableSource>, Record<string, string>, string][])(
		"%s",
		async (_what, settings, headers, id) => {
			const { attributes } = await only(parse(settings, { ...JSON_TYPE, ...headers }, ROW));
			expect(attributes.id).toBe(id);
		},
	);
});

test("a publisher's trace is kept, and nothing that only looks like one", async () => {
	const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	const traced = await only(parse({}, { ...JSON_TYPE, traceparent, tracestate: "a=1" }, ROW));
	expect(traced.attributes).toMatchObject({ traceparent, tracestate: "a=1" });
	const untraced = await only(parse({}, { ...JSON_TYPE, traceparent: "x", tracestate: "a=1" }, ROW));
	expect(untraced.attributes).not.toHaveProperty("traceparent");
	expect(untraced.attributes).not.toHaveProperty("tracestate");
});

test("any body and headers give a valid event or a refusal", async () => {
	const body = fc.tuple(fc.nat(ROW.length - 1), fc.uint8Array({ maxLength: 6 })).map(([at, bytes]) => {
		const mutated = new TextEncoder().encode(ROW);
		mutated.set(bytes.subarray(0, mutated.length - at), at);
		return mutated;
	});
	const header = fc.string({ unit: "grapheme-ascii" }).map((text) => text.trim());
	const contentType = fc.oneof(fc.constantFrom("application/json", "text/plain", "image/png"), header);
	const settings = { eventType: "=body.type", subject: "=body.record.path", dedupeKey: "body.record.id" };
	await fc.assert(
		fc.asyncProperty(body, contentType, header, async (bytes, type, key) => {
			const parsed = await parse(settings, { "content-type": type, "idempotency-key": key }, bytes);
			if (!parsed.ok) {
				expect(parsed).toMatchObject({ status: 400, code: "invalid_json" });
				return;
			}
			const attributes = parsed.events[0]?.attributes;
			expect(checkAttributes(Object.entries({ specversion: "1.0", ...attributes }))).toEqual({
				ok: true,
				attributes,
			});
		}),
		{ numRuns: 500 },
	);
});

describe("JSON that says it is a form, as curl -d sends it", () => {
	const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded" };

	test.each([
		["an object", '{"hello": "world"}'],
		["a list, after white space", ' \r\n\t[{"a": 1}, 2]\n'],
		["an object with what separates fields", '{"url": "https://a.example/?b=1&c=2"}'],
	])("%s is refused, and says which header is missing", async (_what, body) => {
		for (const form of ["text", "json"]) {
			const refused = await parse({ settings: { form } }, FORM_TYPE, body);
			expect(refused).toMatchObject({
				ok: false,
				status: 415,
				code: "unsupported_media_type",
				message: expect.stringContaining("content-type: application/json"),
			});
		}
	});

	test.each(["1", "true", "{a=1", "[x]=1", "a={}", "%7B%7D=1", ""])("%j is a form", async (body) => {
		expect((await parse({}, FORM_TYPE, body)).ok).toBe(true);
	});
});

describe("a form as JSON, where the source asks for it", () => {
	const FORM_TYPE = { "content-type": "application/x-www-form-urlencoded; charset=UTF-8" };
	const asJson = (body: string | Uint8Array, headers: Record<string, string> = FORM_TYPE) =>
		parse({ settings: { form: "json" }, dedupeKey: "body.id" }, headers, body);

	test.each([
		["fields in their order", "b=2&a=1&10=x&2=y", '{"b":"2","a":"1","10":"x","2":"y"}'],
		["decoded", "%C3%BC+x=%22%5C%0A", '{"\u00fc x":"\\"\\\\\\n"}'],
		["a field several times", "a=1&b=2&a=3", '{"a":["1","3"],"b":"2"}'],
		["no value", "a&b=", '{"a":"","b":""}'],
		["a name that objects have already", "__proto__=1&constructor=2", '{"__proto__":"1","constructor":"2"}'],
		["nothing", "", "{}"],
	])("%s", async (_what, body, text) => {
		const { attributes, data } = await only(asJson(body));
		expect(data).toEqual({ kind: "json", text });
		expect(attributes.datacontenttype).toBe("application/json");
	});

	test("expressions find its fields", async () => {
		expect((await only(asJson("id=SM1&Body=x"))).attributes.id).toBe("SM1");
	});

	test("refused when it is no form, or more than an event holds once it is JSON", async () => {
		expect(await asJson("a=%ff")).toMatchObject({ ok: false, status: 400, code: "invalid_form" });
		const controls = `a=${"\u0001".repeat(200_000)}`;
		expect(await asJson(controls)).toMatchObject({ ok: false, status: 413, code: "body_too_large" });
	});

	test("bodies that are not forms are read as without the setting", async () => {
		expect((await only(asJson("a=1", { "content-type": "text/plain" }))).data).toEqual({
			kind: "text",
			text: "a=1",
		});
		expect((await only(asJson('{"id":7}', JSON_TYPE))).data).toEqual({ kind: "json", text: '{"id":7}' });
	});
});
