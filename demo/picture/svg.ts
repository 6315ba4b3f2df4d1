/** Draws terminal lines as an SVG picture, with colours of its own, so that it looks the same on any page. Pure. */
import type { Run, Style } from "./terminal.ts";

const CHARACTER_WIDTH = 7.8;
const LINE_HEIGHT = 18;
const FONT_SIZE = 13;
const MARGIN = 16;
const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const BACKGROUND = "#0d1117";
const FOREGROUND = "#e6edf3";
const DIM = "#8b949e";
/** Colours by SGR number. */
const COLOURS: Record<number, string> = {
	31: "#ff7b72",
	32: "#3fb950",
	33: "#d29922",
	34: "#58a6ff",
	35: "#d2a8ff",
	36: "#39c5cf",
};

/** `title` is the text alternative of the picture. */
export function svgOf(lines: Run[][], title: string): string {
	const columns = Math.max(...lines.map((line) => line.reduce((sum, { text }) => sum + text.length, 0)), 1);
	const width = Math.ceil(columns * CHARACTER_WIDTH) + 2 * MARGIN;
	const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title">`,
		`<title id="title">${title}</title>`,
		`<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
		`<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${FOREGROUND}">`,
		...lines.flatMap(lineTexts),
		"</g>",
		"</svg>",
		"",
	].join("\n");
}

/** Places each run at its column, as wide as its characters, whatever the font. */
function lineTexts(line: Run[], index: number): string[] {
	const y = MARGIN + index * LINE_HEIGHT + FONT_SIZE;
	const texts: string[] = [];
	let column = 0;
	for (const { text, style } of line) {
		// Spaces at either end are part of the column, not of the text.
		const start = column + text.length - text.trimStart().length;
		column += text.length;
		const shown = text.trim();
		if (shown === "") continue;
		const x = round(MARGIN + start * CHARACTER_WIDTH);
		const length = round(shown.length * CHARACTER_WIDTH);
		const attributes = `x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${look(style)}`;
		texts.push(`<text ${attributes}>${escaped(shown)}</text>`);
	}
	return texts;
}

function look({ bold, dim, colour }: Style): string {
	const own = colour === null ? undefined : COLOURS[colour];
	const fill = own ?? (dim ? DIM : undefined);
	return `${fill === undefined ? "" : ` fill="${fill}"`}${bold ? ' font-weight="bold"' : ""}`;
}

function round(value: number): number {
	return Math.round(value * 10) / 10;
}

/** Non-breaking spaces, because SVG collapses others. */
function escaped(text: string): string {
	return text
		.replaceAll(" ", "\u00a0")
		.replaceAll("&", "&amp;")
		.replaceAll("<", "&lt;")
		.replaceAll(">", "&gt;");
}
