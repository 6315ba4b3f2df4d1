/** Requests and errors as Slack's documentation has them. */
import { describe, expect, test } from "vitest";
import { inputOf, json, read, request } from "../captures.ts";

const URL = "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX";
const to = { url: URL, model: null };

function textOf(input: Parameters<typeof request>[1]): string {
	const made = request("slack", input, to);
	if ("misfit" in made) throw new Error(made.misfit);
	return (JSON.parse(String(made.body)) as { text: string }).text;
}

describe("an event alone", () => {
	test("is shown in a few lines", () => {
		const input = inputOf(json('{"label": "<cat>", "share": 0.98}'));
		input.event.attributes.subject = "scans/1.png";
		expect(request("slack", input, to)).toEqual({
			method: "POST",
			url: URL,
			headers: { "content-type": "application/json" },
			body: JSON.stringify({
				text: '*document.inserted* from /sources/db\nscans/1.png\n```\n{"label": "&lt;cat&gt;", "share": 0.98}\n```',
			}),
		});
	});

	test.each([
		["without data", null, "*document.inserted* from /sources/db"],
		[
			"with bytes",
			{ kind: "binary", base64: "AQID" } as const,
			"*document.inserted* from /sources/db\n3 bytes of binary data",
		],
		[
			"whose text would end the quotation",
			{ kind: "text", text: "a ``` b" } as const,
			"*document.inserted* from /sources/db\n```\na ''' b\n```",
		],
	])("%s", (_what, data, text) => {
		expect(textOf(inputOf(data))).toBe(text);
	});

	test("is bounded, however long it is, and cut between characters", () => {
		const input = inputOf({ kind: "text", text: `a${"😀".repeat(100_000)}` });
		input.event.attributes.subject = "s".repeat(100_000);
		const text = textOf(input);
		expect(text.length).toBeLessThan(4_000);
		expect(text.isWellFormed()).toBe(true);
		expect(text.endsWith("…\n```")).toBe(true);
		// Every character of it is escaped.
		expect(textOf(inputOf({ kind: "text", text: "&".repeat(100_000) })).length).toBeLessThan(40_000);
	});

	test("mentions no user, whatever its attributes contain", () => {
		const input = inputOf(null);
		input.event.attributes.subject = "<!channel>\n*bold*";
		expect(textOf(input)).toContain("&lt;!channel&gt; *bold*");
	});
});

test.each([
	['"<https://a.example|done>"', '{"text":"<https://a.example|done>"}'],
	[
		'{"text":"a","blocks":[{"type":"divider"}],"thread_ts":1234567890.123456}',
		'{"text":"a","blocks":[{"type":"divider"}],"thread_ts":1234567890.123456}',
	],
	['" "', "misfit: a message must be a non-empty text, or an object such as {text} or {blocks}"],
	["[1]", "misfit: a message must be a non-empty text, or an object such as {text} or {blocks}"],
	["7", "misfit: a message must be a non-empty text, or an object such as {text} or {blocks}"],
])("the transform's value %s", (transformed, body) => {
	const made = request("slack", inputOf(json("1"), transformed), to);
	expect("misfit" in made ? `misfit: ${made.misfit}` : made.body).toBe(body);
});

test("a transform's text is cut where Slack would cut it", () => {
	const made = request("slack", inputOf(null, JSON.stringify("a".repeat(50_000))), to);
	if ("misfit" in made) throw new Error(made.misfit);
	expect(JSON.parse(String(made.body))).toEqual({ text: `${"a".repeat(39_999)}…` });
});

test("there is no output", () => {
	expect(read("slack", { status: 200, headers: { "content-type": "text/html" }, body: "ok" })).toMatchObject({
		class: null,
		output: null,
	});
});

test.each([
	[400, "invalid_payload", null],
	[400, "no_text", null],
	[400, "user_not_found", null],
	[403, "action_prohibited", "unauthorized"],
	[404, "no_service", "unauthorized"],
	[404, "channel_not_found", "unauthorized"],
	[410, "channel_is_archived", null],
	[429, "rate_limited", "busy"],
	[500, "rollup_error", null],
])("a refusal: %s %s", (status, error, meaning) => {
	for (const type of ["text/plain", "text/html"]) {
		const said = read("slack", { status, headers: { "content-type": type }, body: error });
		expect(said).toMatchObject({ class: meaning, error, output: null });
	}
});

test.each([
	["channel_not_found", "unauthorized"],
	["ratelimited", "busy"],
	["invalid_blocks", "bad_input"],
])("a method of the API that refuses with status 200: %s", (error, meaning) => {
	const said = read("slack", { status: 200, body: { ok: false, error } });
	expect(said).toMatchObject({ class: meaning, error, output: null });
	expect(read("slack", { status: 200, body: { ok: true } })).toMatchObject({ class: null, error: null });
});
