/** docs/expressions.md: each row of its tables, tried on the event of the page with a preview, gives what the page says. */
import { beforeAll, describe, expect, test } from "vitest";
import { ask, must } from "../client.ts";

const [PAGE = ""] = Object.values(
	import.meta.glob<string>("../../../docs/expressions.md", { query: "?raw", import: "default", eager: true }),
);
const EVENT = /```json\n([^]*?)```/.exec(PAGE)?.[1] ?? "";
/** Of the page's rows, all that leave something out for the reader to fill in. */
const INCOMPLETE = /…|\bF\b/;

interface Preview {
	matches: boolean;
	criteria: { verdict: string; reason: string | null }[];
	targets: { request?: { body?: string } }[];
	input: { error: string | null; value?: unknown } | null;
}

beforeAll(async () => {
	const protocols = new Set([
		"http",
		...rowsOf("Reshape for a protocol").map(([cell = ""]) => codeOf(cell)[0]),
	]);
	for (const protocol of protocols) {
		await must("POST", "/v1/endpoints", {
			name: protocol,
			protocol,
			model: "owner/m",
			url: "https://models.example.com",
		});
	}
});

describe("cheat sheet", () => {
	const written = rowsOf("Cheat sheet").flatMap(([, cell = ""]) => codeOf(cell));
	const whole = written.filter(
		(code) => code.length > 3 && !INCOMPLETE.test(code) && !/^(?:and|not)$/.test(code),
	);

	test("most of it can be tried", () => expect(whole.length).toBeGreaterThan(20));

	test.each(whole)("%s", async (code) => {
		if (code.startsWith('"types"')) {
			expect(await preview(JSON.parse(`{${code}}`))).toMatchObject({ matches: true });
		} else if (code.startsWith('{"')) {
			expect(await preview({ filters: [JSON.parse(code)] })).toMatchObject({ matches: true });
		} else {
			const { input } = await preview({ transform: code });
			// The one field of the sheet that the event does not have stands before a default.
			expect(input).toMatchObject({ error: null, value: expect.anything() });
		}
	});
});

describe("choose events: the event of the page matches", () => {
	test.each(rowsOf("Choose events"))("%s: %s", async (cell) => {
		const [filter = ""] = codeOf(cell);
		expect(await preview({ filters: [JSON.parse(filter)] })).toMatchObject({ matches: true });
	});
});

test.each(rowsOf("Reshape for a protocol"))("%s: %s", async (...cells) => {
	const [protocol = "", transform = "", body = ""] = cells.map((cell) => codeOf(cell)[0] ?? "");
	const { targets } = await preview({ endpoint: `${protocol}@1`, transform });
	const sent = targets[0]?.request?.body ?? "";
	const shown = body.replace('"model":"…"', '"model":"owner/m"');
	expect(sent.replace(/dlv_\w+/, "dlv_…")).toBe(shown);
});

describe.each(["Build lists", "Missing values", "Texts", "Dates", "Numbers that keep their digits"])(
	"%s",
	(heading) => {
		const cases = rowsOf(heading).flatMap(([left = "", right = ""]) => {
			const value = codeOf(right)[0] ?? "";
			return codeOf(left).map((expression) => ({ expression, value, fails: right.startsWith("fails") }));
		});

		test.each(cases)("$expression: $value", async ({ expression, value, fails }) => {
			const { input } = await preview({ transform: expression });
			if (fails) expect(input?.error).toContain(value);
			else expect(input).toEqual({ error: null, value: JSON.parse(exact(value)) });
		});
	},
);

test.each(claimsOf(PAGE))("%s is %s", async (code, value) => {
	const expression = /^\$|^\{"\w+": \$/.test(code) ? code : "";
	const { input } = await preview({ transform: expression });
	expect(input).toEqual({ error: null, value: JSON.parse(exact(value)) });
});

describe("common mistakes", () => {
	const rows = rowsOf("Common mistakes");
	const refused = rows.filter(([wrote = ""]) => wrote.startsWith("`"));
	const later = rows.filter(([wrote = ""]) => !wrote.startsWith("`"));

	test("both tables are there", () => {
		expect([refused.length, later.length]).toEqual([8, 10]);
	});

	test.each(refused)("%s is refused: %s", async (...cells) => {
		const [wrote = "", said = "", write] = cells.map((cell) => codeOf(cell)[0] ?? "");
		const { status, body } = await askPreview(draft(wrote));
		expect(status).toBe(422);
		const { errors } = body as unknown as { errors: { message: string }[] };
		expect(errors.map(({ message }) => message)).toEqual([expect.stringContaining(said)]);
		if (write !== undefined && write !== "") expect((await askPreview(draft(write))).status).toBe(200);
	});

	test.each(later)("%s: %s", async (...cells) => {
		const [wrote = "", said = ""] = cells.map((cell) => codeOf(cell)[0] ?? "");
		if (cells[0]?.startsWith("transform")) {
			const { input } = await preview({ transform: wrote });
			return expect(input?.error).toContain(said);
		}
		const filter: unknown = wrote.startsWith('{"') ? JSON.parse(wrote) : { jsonata: wrote };
		const { matches, criteria } = await preview({ filters: [filter] });
		expect(matches).toBe(false);
		expect(criteria.map(({ reason }) => reason).join()).toContain(said);
	});
});

test("in a filter, two large ids that differ in the last digit are equal, as the page warns", async () => {
	const [written = ""] = /`(\{"jsonata": "data\.id = \d+"\})`/.exec(PAGE)?.slice(1) ?? [];
	for (const filter of [written, written.replace("993", "992")]) {
		expect(await preview({ filters: [JSON.parse(filter)] })).toMatchObject({ matches: true });
	}
	const input = { error: null, value: [true, false] };
	const transform = '[$string(data.id) = "9007199254740993", $string(data.id) = "9007199254740992"]';
	expect(await preview({ transform })).toMatchObject({ input });
});

/** The rows of the tables under a heading, cell by cell, without their heads. */
function rowsOf(heading: string): string[][] {
	const [, after = ""] = PAGE.split(new RegExp(`^#+ ${heading}$`, "m"));
	const [section = ""] = after.split(/^#+ /m);
	return section
		.split(/\n\n/)
		.filter((paragraph) => paragraph.trimStart().startsWith("| "))
		.flatMap((table) => table.trim().split("\n").slice(2))
		.map((row) => [...row.matchAll(/\| ((?:`[^`]*`|[^|`])+?) (?=\|)/g)].map(([, cell = ""]) => cell));
}

/** What stands between backticks. */
function codeOf(cell: string): string[] {
	return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

/** Expressions of the table of functions, each with the value that it is said to be. */
function claimsOf(page: string): [string, string][] {
	const [, functions = ""] = page.split("## Functions for models");
	const [section = ""] = functions.split(/^## /m);
	return [...section.matchAll(/`([^`]+)` is `([^`]+)`/g)]
		.map(([, code = "", value = ""]): [string, string] => [code, value])
		.filter(([, value]) => !INCOMPLETE.test(value));
}

/** A subscription with a filter, or with a transform. */
function draft(code: string): Record<string, unknown> {
	return code.startsWith('{"') ? { filters: [JSON.parse(code) as unknown] } : { transform: code };
}

function askPreview(fields: Record<string, unknown>) {
	const body = JSON.stringify({ name: "page", endpoint: "http@1", ...fields });
	return ask("POST", "/v1/subscriptions/preview", `${body.slice(0, -1)},"event":${EVENT}}`);
}

async function preview(fields: Record<string, unknown>): Promise<Preview> {
	const { status, text } = await askPreview(fields);
	expect(status, text).toBe(200);
	return JSON.parse(exact(text)) as Preview;
}

/** Integers that JavaScript would round, as strings. */
function exact(json: string): string {
	return json.replaceAll(/(?<=[^\\]":|[[,])\d{16,}(?=[\]},])/g, '"#$&"');
}
