/** Lines, tables and numbers as printed. */
import type { Range } from "./limits.ts";

/** How a line looks on a terminal. */
export type Look = "title" | "head" | "plain" | "faint";
export interface Line {
	look: Look;
	text: string;
}

/** Aligns the columns in `words` to the left and the others to the right. The first line is the head. */
export function table(
	head: readonly string[],
	rows: readonly (readonly string[])[],
	words: readonly number[],
): Line[] {
	const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]?.length ?? 0)));
	const format = (row: readonly string[]): string =>
		row
			.map((cell, column) =>
				words.includes(column) ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
			)
			.join("  ")
			.trimEnd();
	return [{ look: "head", text: `  ${format(head)}` }, ...rows.map((row) => plain(format(row)))];
}

export function title(text: string): Line[] {
	return [plain(""), { look: "title", text: ` ${text}` }];
}

export function plain(text: string): Line {
	return { look: "plain", text: text === "" ? "" : `  ${text}` };
}

export function faint(text: string): Line {
	return { look: "faint", text: `  ${text}` };
}

export function rangeText({ low, high }: Range): string {
	return short(low) === short(high) ? short(low) : `${short(low)}–${short(high)}`;
}

/** Three significant digits. @example short(12345) is "12,300" */
export function short(value: number): string {
	if (!Number.isFinite(value)) return "never";
	if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`;
	return Number(value.toPrecision(3)).toLocaleString("en");
}

export function many(value: number): string {
	return value.toLocaleString("en");
}
