/** Every fenced block of the documentation is one that a test looks after, or one of few of which it is said why not. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { claimOf } from "./claims.ts";
import { commentsIn, fencesOf, pages, PROJECT, spansOf } from "./markdown.ts";

describe.each(pages())("%s", (page) => {
	const blocks = fencesOf(readFileSync(join(PROJECT, page), "utf8"));

	test("every block has its test", () => {
		const unclaimed = blocks.filter((block) => claimOf(page, block) === null);
		expect(unclaimed.map(({ line, language }) => `${page}:${line} ${language}`)).toEqual([]);
	});

	test("the tests are there", () => {
		const tests = blocks.map((block) => claimOf(page, block)).filter((by) => typeof by === "string");
		expect(tests.filter((name) => !existsSync(join(import.meta.dirname, name)))).toEqual([]);
	});

	test("no command has a comment, which an interactive zsh would hand to it as arguments", () => {
		const commands = blocks.filter(({ language }) => language === "sh");
		expect(commands.flatMap(({ code }) => commentsIn(code))).toEqual([]);
	});
});

describe("how the test finds blocks", () => {
	const markdown = [
		"## One",
		"```sh",
		"## no heading",
		"```",
		"### Two `span`",
		"1. In a list:",
		"",
		"   ```json",
		"   {",
		'     "a": 1 }',
		"   ```",
		"",
		"``` js title",
		"```",
	].join("\n");

	test("blocks are found with their headings, and with the indentation of a list taken away", () => {
		expect(fencesOf(markdown)).toEqual([
			{ heading: "One", language: "sh", code: "## no heading\n", line: 2 },
			{ heading: "Two `span`", language: "json", code: '{\n  "a": 1 }\n', line: 8 },
			{ heading: "Two `span`", language: "js title", code: "", line: 13 },
		]);
		expect(spansOf(markdown)).toEqual([{ code: "span", line: 5 }]);
	});

	test("a language that nobody knows has no test", () => {
		expect(claimOf("README.md", { heading: "Two", language: "lua", code: "", line: 1 })).toBeNull();
		expect(claimOf("docs/api.md", { heading: "Two", language: "", code: "", line: 1 })).toBeNull();
	});

	test("comments are found, and no others", () => {
		expect(commentsIn("npm test   # all\n# alone\napi '/a # b' \"# c\" d#e ${#f}\necho \\# no")).toEqual([
			"# all",
			"# alone",
		]);
	});
});
