import { describe, expect, test } from "vitest";
import { checkAttributes, stripRouterAttributes } from "../../../src/events/cloudevents/attributes.ts";
import type { CloudEvent } from "../../../src/events/event.ts";
import { isMediaType } from "../../../src/events/cloudevents/media-type.ts";

const MINIMAL = { specversion: "1.0", id: "1", source: "/s", type: "t" };

function check(changes: Record<string, unknown>, at?: string): ReturnType<typeof checkAttributes> {
	return checkAttributes(Object.entries({ ...MINIMAL, ...changes }), at);
}

function extensions(count: number, value: string): Record<string, string> {
	return Object.fromEntries(Array.from({ length: count }, (_, index) => [`x${index}`, value]));
}

describe("accepted", () => {
	test.each([
		["the required ones alone", {}],
		["an empty extension", { note: "" }],
		["integers at the ends of 32 bits", { low: -2_147_483_648, high: 2_147_483_647 }],
		["booleans", { sampled: false }],
		["an extension named like a property of every object", { constructor: "x" }],
		["a time with fraction and offset", { time: "2026-02-28T23:59:60.123456789+05:30" }],
		["a time in lower case", { time: "2024-02-29t00:00:00z" }],
		["a media type with parameters", { datacontenttype: "text/plain; charset=utf-8" }],
		["text beyond the basic plane", { subject: "Euro € 😀" }],
	])("%s", (_what, changes) => {
		const { specversion: _, ...expected } = { ...MINIMAL, ...changes };
		expect(check(changes)).toEqual({ ok: true, attributes: expected });
	});

	test("null is the same as absent", () => {
		expect(check({ subject: null, myext: null })).toEqual(check({}));
	});
});

describe("refused with the path of the attribute", () => {
	test.each([
		["no specversion", { specversion: null }, "specversion"],
		["another version", { specversion: "0.3" }, "specversion"],
		["the version as a number", { specversion: 1 }, "specversion"],
		["no id", { id: null }, "id"],
		["an empty id", { id: "" }, "id"],
		["an id that is a number", { id: 7 }, "id"],
		["no source", { source: null }, "source"],
		["no type", { type: null }, "type"],
		["a type that is an object", { type: {} }, "type"],
		["an empty subject", { subject: "" }, "subject"],
		["an empty dataschema", { dataschema: "" }, "dataschema"],
		["a content type that is none", { datacontenttype: "json" }, "datacontenttype"],
		[
			"a content type that would break a header",
			{ datacontenttype: "text/plain; name=é" },
			"datacontenttype",
		],
		["a date without time", { time: "2026-01-01" }, "time"],
		["a time without zone", { time: "2026-01-01T00:00:00" }, "time"],
		["a day that the month has not", { time: "2026-02-29T00:00:00Z" }, "time"],
		["the 24th hour", { time: "2026-01-01T24:00:00Z" }, "time"],
		["an upper-case name", { myExt: "x" }, "myExt"],
		["a name with a dash", { "my-ext": "x" }, "my-ext"],
		["an attribute called data", { data: "x" }, "data"],
		["a fraction", { ratio: 0.5 }, "ratio"],
		["an integer beyond 32 bits", { count: 2_147_483_648 }, "count"],
		["a list", { list: [] }, "list"],
		["a control character", { note: "a\nb" }, "note"],
		["a lone surrogate", { note: "\ud800" }, "note"],
		["a noncharacter", { note: "\ufffe" }, "note"],
	])("%s", (_what, changes, path) => {
		expect(check(changes)).toMatchObject({ ok: false, status: 400, code: "invalid_cloudevent", path });
		expect(check(changes, "[3]")).toMatchObject({ path: `[3].${path}` });
	});

	test("a member called __proto__", () => {
		const raw = JSON.parse(
			'{"specversion":"1.0","id":"1","source":"s","type":"t","__proto__":{"x":1}}',
		) as object;
		expect(checkAttributes(Object.entries(raw))).toMatchObject({ ok: false, path: "__proto__" });
	});
});

describe("bounded", () => {
	test.each([
		["a value", { note: "x".repeat(1_024) }],
		["a value that is no ASCII", { subject: "é".repeat(512) }],
		["a name", { ["n".repeat(64)]: "x" }],
		["all together", extensions(15, "x".repeat(1_024))],
		["their number", extensions(60, "x")],
	])("the longest is taken: %s", (_what, changes) => {
		expect(check(changes)).toMatchObject({ ok: true });
	});

	test.each([
		["a value", { note: "x".repeat(1_025) }, "note"],
		["a value in bytes", { subject: "é".repeat(513) }, "subject"],
		["an id", { id: "x".repeat(1_025) }, "id"],
		["a name", { ["n".repeat(65)]: "x" }, "n".repeat(64)],
		["all together", extensions(16, "x".repeat(1_020)), "x15"],
	])("one byte more is refused: %s", (_what, changes, path) => {
		const refusal = { ok: false, status: 400, code: "attribute_too_long" };
		expect(check(changes)).toMatchObject({ ...refusal, path });
		expect(check(changes, "[3]")).toMatchObject({ ...refusal, path: `[3].${path}` });
	});

	test("more than 64 are refused", () => {
		expect(check(extensions(61, "x"))).toMatchObject({ ok: false, status: 400, code: "too_many_attributes" });
	});

	// Looked at character by character, these would take minutes.
	test.each(["datacontenttype", "source", "time", "id"])("a megabyte of slashes as %s is refused", (name) => {
		expect(check({ [name]: `${"/".repeat(1_000_000)}é` })).toMatchObject({ ok: false, path: name });
	});

	test("a media type is not longer than an attribute", () => {
		expect(isMediaType(`a/${"b".repeat(1_022)}`)).toBe(true);
		expect(isMediaType(`a/${"b".repeat(1_023)}`)).toBe(false);
		expect(isMediaType(`${"/".repeat(1_000_000)}é`)).toBe(false);
	});
});

describe("stripRouterAttributes", () => {
	test("takes every attribute that begins with sluice", () => {
		const stripped = stripRouterAttributes(
			event({ sluicehops: 0, sluicechain: "sub_1", sluice: "x", slui: "y" }),
		);
		expect(stripped).toEqual(event({ slui: "y" }));
	});

	test("leaves other events as they are", () => {
		const plain = event({ traceparent: "00-x" });
		expect(stripRouterAttributes(plain)).toBe(plain);
	});
});

function event(extensions: Record<string, string | number>): CloudEvent {
	return { attributes: { id: "1", source: "/s", type: "t", ...extensions }, data: null };
}
