import { describe, expect, test } from "vitest";
import { checkAttributes, stripRouterAttributes } from "../../src/events/attributes.ts";
import type { CloudEvent } from "../../src/events/event.ts";

const MINIMAL = { specversion: "1.0", id: "1", source: "/s", type: "t" };

function check(changes: Record<string, unknown>, at?: string): ReturnType<typeof checkAttributes> {
	return checkAttributes(Object.entries({ ...MINIMAL, ...changes }), at);
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
