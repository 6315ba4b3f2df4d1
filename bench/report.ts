/** Benchmark results, and the table that shows them. */
import { paint } from "../scripts/paint.ts";

export interface Row {
	what: string;
	/** The figure, with its unit. */
	measured: string;
	/** What it is compared with, with its unit. */
	against?: string;
	ratio?: number;
	budget?: Budget;
}

export interface Budget {
	text: string;
	isMet: boolean;
}

/** What one benchmark measured. `details` only go into the file. */
export interface Part {
	rows: Row[];
	/** Additional tables that are not comparisons, shown below the rows. */
	lines?: string[];
	details: unknown;
}

/** @example atMost(9.6, 10, "ms") is { text: "≤ 10 ms", isMet: true } */
export function atMost(value: number, limit: number, unit = ""): Budget {
	return { text: `≤ ${limit} ${unit}`.trim(), isMet: value <= limit };
}

export function atLeast(value: number, limit: number, note = ""): Budget {
	return { text: `≥ ${limit} ${note}`.trim(), isMet: value >= limit };
}

const HEADINGS = ["", "measured", "against", "ratio", "budget", ""];
/** Numbers are aligned to the right, words to the left. */
const isNumber = [false, true, true, true, false, false];

/** Returns the lines of all parts, each below its title. */
export function tableLines(parts: readonly (Omit<Part, "details"> & { title: string })[]): string[] {
	const cells = parts.map(({ title, rows, lines = [] }) => ({ title, rows: rows.map(toCells), lines }));
	const all = [HEADINGS, ...cells.flatMap(({ rows }) => rows)];
	const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
	const format = (row: readonly string[]) =>
		row
			.map((cell, column) =>
				isNumber[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
			)
			.join("   ")
			.trimEnd();
	return [
		...(all.length > 1 ? [`  ${paint("dim", format(HEADINGS))}`] : []),
		...cells.flatMap(({ title, rows, lines }) => [
			"",
			` ${paint("bold", title)}`,
			...rows.map((row) => `  ${format(row)}`),
			...lines,
		]),
	];
}

function toCells({ what, measured, against = "", ratio, budget }: Row): string[] {
	const verdict = budget === undefined ? "" : budget.isMet ? "met" : "NOT MET";
	return [what, measured, against, ratio?.toFixed(2) ?? "", budget?.text ?? "", verdict];
}
