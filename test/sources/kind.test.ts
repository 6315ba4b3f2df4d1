import { describe, expect, test } from "vitest";
import { bindKind, isKindName, kindOf } from "../../src/sources/registry.ts";
import { makeSource } from "./make-source.ts";
import { parseAs } from "./parse.ts";

const UNREADABLE = { ok: false, status: 503, code: "settings_unreadable", headers: { "retry-after": "60" } };

describe("stored settings", () => {
	test.each<[string, string, Record<string, unknown>]>([
		["a member of another type", "postgres", { primary_key: 7 }],
		["a member that is missing", "sqs", { queue_url: "https://sqs.eu-central-1.amazonaws.com/1/a" }],
		["a form that this release does not know", "s3-sns", { topics: { arns: [] } }],
		["a kind that this release does not know", "kafka", {}],
		["a kind that is the name of something every object has", "constructor", {}],
	])("that cannot be read are refused: %s", (_what, kind, settings) => {
		expect(bindKind(makeSource({ kind, settings }))).toMatchObject(UNREADABLE);
	});

	test("members that a newer release has added are left out", async () => {
		const settings = { primary_key: "path", added_later: true };
		const body = `{"type":"INSERT","schema":"public","table":"documents","record":{"path":"a.png"}}`;
		const parsed = await parseAs("supabase", { body, source: { settings } });
		expect(parsed).toMatchObject({ ok: true, events: [{ attributes: { subject: "documents/a.png" } }] });
	});

	test("defaults that were added after they were stored are filled in", () => {
		expect(bindKind(makeSource({ kind: "supabase", settings: {} }))).toMatchObject({ ok: true });
	});
});

test("new settings with unknown members are refused", () => {
	for (const kind of ["generic", "postgres"]) {
		expect(kindOf({ kind })?.settings.safeParse({ added_later: true }).success).toBe(false);
	}
});

test("names of kinds are distinguished from other names", () => {
	expect(["github", "toString", "__proto__", "kafka"].map(isKindName)).toEqual([true, false, false, false]);
});
