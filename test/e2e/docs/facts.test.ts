/** What pages for operators list, compared with the code that has it: log lines, settings and bindings, operational events. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PROJECT, spansOf } from "./markdown.ts";

const read = (path: string) => readFileSync(join(PROJECT, path), "utf8");
const SOURCES = readdirSync(join(PROJECT, "src"), { recursive: true, encoding: "utf8" })
	.filter((path) => path.endsWith(".ts"))
	.map((path) => read(join("src", path)))
	.join("\n");

/** Each of the names once, in order. */
function namesIn(text: string, pattern: RegExp): string[] {
	return [...new Set([...text.matchAll(pattern)].map(([, name = ""]) => name))].toSorted();
}

/** What stands between two headings of a page, as the words between backticks in it. */
function wordsOf(page: string, from: string, to: string): string[] {
	const text = read(page);
	const section = text.slice(text.indexOf(`\n${from}\n`), text.indexOf(`\n${to}\n`));
	expect(section.length).toBeGreaterThan(100);
	return [...new Set(spansOf(section).map(({ code }) => code))];
}

test("docs/operations.md explains every log line, and no other", () => {
	const written = namesIn(SOURCES, /\blog\([^"]{0,60}?"([a-z_]+\.[a-z_]+)"/g);
	// One call chooses between two names.
	const all = [...new Set([...written, ...namesIn(SOURCES, /"(delivery\.(?:attempted|moved))"/g)])];
	const explained = wordsOf("docs/operations.md", "### Normal lines", "## What happens when something fails");
	const named = explained.filter((word) => /^[a-z_]+\.[a-z_]+$/.test(word) && word !== "wrangler.toml");
	expect(all.length).toBeGreaterThan(50);
	expect(named.toSorted()).toEqual(all.toSorted());
});

test("docs/settings.md has every binding of wrangler.toml and every variable of the Worker", () => {
	const bound = namesIn(read("wrangler.toml"), /^(?:binding|name) = "([A-Z_]+)"/gm);
	const settings = namesIn(read("src/env.ts"), /^\t([A-Z][A-Z_]+)\??:/gm);
	expect(bound.length).toBeGreaterThan(9);
	expect(settings).toEqual(expect.arrayContaining(["ADMIN_TOKEN", ...bound]));
	const rows = [...read("docs/settings.md").matchAll(/^\| (`[A-Z_`, ]+`) \|/gm)].map(([, cell = ""]) => cell);
	const named = rows.flatMap((cell) => spansOf(cell).map(({ code }) => code));
	expect(named.toSorted()).toEqual(settings);
});

test("secrets that pages let wrangler set are variables of the Worker", () => {
	const pages = ["README.md", "docs/operations.md"].map(read).join("\n");
	const put = namesIn(pages, /wrangler secret put ([A-Z_]+)/g);
	expect(put).toEqual(["ADMIN_TOKEN", "ENCRYPTION_KEY"]);
	const settings = namesIn(read("src/env.ts"), /^\t([A-Z][A-Z_]+)\?:/gm);
	expect(settings).toEqual(expect.arrayContaining(put));
});

describe("operational events", () => {
	const published = namesIn(SOURCES, /"(sluice\.[a-z]+\.[a-z_]+)"/g);

	test("docs/operational-events.md has each of them", () => {
		const page = "docs/operational-events.md";
		const told = namesIn(read(page), /`(sluice\.[a-z]+\.[a-z_]+)`/g);
		expect(published.length).toBeGreaterThan(8);
		expect(told).toEqual(published);
	});

	test("docs/operations.md says what to do about those that need somebody", () => {
		const alerts = wordsOf("docs/operations.md", "## Alerts", "## Logs");
		const unknown = alerts.filter((word) => /^sluice\.[a-z]+\.[a-z_]+$/.test(word));
		expect(unknown.filter((type) => !published.includes(type))).toEqual([]);
		const good = published.filter((type) => type.endsWith(".recovered"));
		expect([...unknown, ...good].toSorted()).toEqual(published);
	});
});

test("docs/operations.md names the migrations of wrangler.toml that came after 0.1", () => {
	const [, ...later] = read("wrangler.toml").matchAll(/tag = "(v\d+)"\nnew_sqlite_classes = \[(.*)\]/g);
	const said = later.map(([, tag = "", classes = ""]) => `\`${tag}\` (${classes.replaceAll('"', "`")})`);
	expect(read("docs/operations.md").replaceAll(/\s+/g, " ")).toContain(said.join(" and "));
});
