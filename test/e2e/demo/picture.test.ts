/** The picture of the demo: what a terminal shows at the end of a recording, and how it is drawn. */
import { describe, expect, test } from "vitest";
import { svgOf } from "../../../demo/picture/svg.ts";
import { lastScreen } from "../../../demo/picture/terminal.ts";

const ESC = "\u001b";

function textOf(recording: string): string[] {
	return lastScreen(recording).map((line) => line.map((run) => run.text).join(""));
}

describe("the last screen", () => {
	test.each([
		["plain lines", "one\r\ntwo\r\n", ["one", "two"]],
		["empty lines at either end", "\r\n\r\none\r\n\r\ntwo\r\n \r\n", ["one", "", "two"]],
		[
			"lines that are drawn again",
			`top\r\na 1\r\nb 1\r\n${ESC}[2A\r${ESC}[Ja 2\r\nb\r\n`,
			["top", "a 2", "b"],
		],
		["a part that gets shorter", `a\r\nb\r\nc\r\n${ESC}[3A\r${ESC}[Ja\r\n`, ["a"]],
		["the cursor hidden and shown", `${ESC}[?25lone${ESC}[?25h`, ["one"]],
		["nothing", "", []],
	])("%s", (_, recording, lines) => {
		expect(textOf(recording)).toEqual(lines);
	});

	test("styles begin and end", () => {
		const [line] = lastScreen(`${ESC}[1mbold${ESC}[22m ${ESC}[2m${ESC}[32mgood${ESC}[39m${ESC}[22m`);
		expect(line).toEqual([
			{ text: "bold", style: { bold: true, dim: false, colour: null } },
			{ text: " ", style: { bold: false, dim: false, colour: null } },
			{ text: "good", style: { bold: false, dim: true, colour: 32 } },
		]);
	});
});

test("a run is drawn at its column, in its colour, and escaped", () => {
	const svg = svgOf(lastScreen(`  ${ESC}[31m<&  >${ESC}[39m`), "a title");
	expect(svg).toContain('x="31.6" y="29" textLength="39"');
	expect(svg).toContain('fill="#ff7b72">&lt;&amp;\u00a0\u00a0&gt;</text>');
	expect(svg).toContain('<title id="title">a title</title>');
});
