import { expect, test } from "vitest";
import { visibleWidth, wrapPieces, wrapWords } from "../../scripts/wrap.ts";

const MARGINS = { first: "* ", rest: "  " };
const RED_WORD = "\u001b[31mred\u001b[39m";

test("a text that fits is one line, its spaces as they are", () => {
	expect(wrapWords("one  two", 40, MARGINS)).toEqual(["* one  two"]);
});

test("lines end at words, below the width", () => {
	expect(wrapWords("one two three four", 12, MARGINS)).toEqual(["* one two", "  three", "  four"]);
});

test("a word that is too long gets its own line", () => {
	expect(wrapWords("a incomprehensible b", 10, MARGINS)).toEqual(["* a", "  incomprehensible", "  b"]);
});

test("no text is the margin alone", () => {
	expect(wrapWords("", 10, MARGINS)).toEqual(["*"]);
});

test("colours take no width", () => {
	expect(visibleWidth(RED_WORD)).toBe(3);
	expect(wrapWords(`${RED_WORD} ${RED_WORD}`, 10, MARGINS)).toEqual([`* ${RED_WORD} ${RED_WORD}`]);
});

test("pieces are not broken", () => {
	const pieces = [
		{ gap: "", text: "June 18 ·" },
		{ gap: " ", text: "June 22" },
	];
	expect(wrapPieces(pieces, 16, MARGINS)).toEqual(["* June 18 ·", "  June 22"]);
});
