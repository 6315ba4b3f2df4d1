/**
 * The journeys of the scans as text: on a terminal a table that is redrawn, elsewhere one line per stage. Pure.
 */
import { paint } from "../scripts/paint.ts";
import type { Journey, Stage, Station } from "./journey.ts";

/** Below this many columns there is no room for notes and event types. */
const WIDE_COLUMNS = 120;
const NAME_WIDTH = 23;
const COLUMNS = [
	{ stage: "accepted", after: [], title: "publisher", yields: "→ document.uploaded", wide: 20, narrow: 11 },
	{ stage: "text", after: ["accepted"], title: "OCR", yields: "→ document.text", wide: 19, narrow: 11 },
	{
		stage: "entities",
		after: ["text"],
		title: "entities",
		yields: "→ document.entities",
		wide: 20,
		narrow: 11,
	},
	{
		stage: "sentiment",
		after: ["text"],
		title: "sentiment",
		yields: "→ document.sentiment",
		wide: 21,
		narrow: 11,
	},
	{
		stage: "received",
		after: ["entities", "sentiment"],
		title: "application",
		yields: "both",
		wide: 12,
		narrow: 11,
	},
] as const satisfies Column[];
type Size = "wide" | "narrow";

interface Column {
	stage: Stage;
	/** The stages that must come first. */
	after: Stage[];
	title: string;
	yields: string;
	wide: number;
	narrow: number;
}

const PLAIN_LINES: Record<Stage, string> = {
	accepted: "accepted as a document.uploaded event",
	reading: "the OCR model is reading it",
	text: "its text is a document.text event",
	entities: "its entities are a document.entities event",
	sentiment: "its sentiment goes to the callback URL",
	received: "the application received both",
};

/** A header and one row for each scan. `now` is on the clock of the journeys, `spinner` one character. */
export function journeyTable(journeys: Journey[], now: number, spinner: string, columns: number): string[] {
	const size = columns >= WIDE_COLUMNS ? "wide" : "narrow";
	const titles = COLUMNS.map((column) => column.title.padEnd(column[size])).join("");
	const yields = COLUMNS.map((column) => column.yields.padEnd(column[size])).join("");
	return [
		` ${"scan".padEnd(NAME_WIDTH)}${titles}`.trimEnd(),
		...(size === "wide" ? [paint("dim", ` ${"".padEnd(NAME_WIDTH)}${yields}`.trimEnd())] : []),
		...journeys.map((journey) => ` ${journey.key.padEnd(NAME_WIDTH)}${cells(journey, now, spinner, size)}`),
	];
}

/** One step of one scan, as a log line. */
export function journeyLine(journey: Journey, stage?: Stage): string {
	const name = journey.key.padEnd(NAME_WIDTH);
	if (journey.failure !== undefined) return `${" ".repeat(8)}  ${name} ${journey.failure}`;
	if (stage === undefined) return `${" ".repeat(8)}  ${name} arrived in the bucket, ${kilobytes(journey)}`;
	const { afterMs, note } = journey.stations[stage] ?? { afterMs: 0, note: "" };
	const line = `${duration(afterMs).padStart(8)}  ${name} ${PLAIN_LINES[stage]}`;
	return note === "" ? line : `${line} (${note})`;
}

/** 12 ms, 1.53 s */
export function duration(ms: number): string {
	return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

function cells(journey: Journey, now: number, spinner: string, size: Size): string {
	const { stations, failure } = journey;
	if (failure !== undefined) return paint("red", `✘ ${failure}`);
	return COLUMNS.map((column) => {
		const station = stations[column.stage];
		if (station !== undefined) return cell(paint("green", "✔"), station, column[size], size);
		const isNext = column.after.every((stage) => stations[stage] !== undefined);
		if (!isNext) return "".padEnd(column[size]);
		const note = column.stage === "text" && stations.reading !== undefined ? "reading" : "";
		const soFar = { afterMs: now - journey.arrivedAt, note };
		return cell(paint("yellow", spinner), soFar, column[size], size);
	}).join("");
}

function cell(mark: string, { afterMs, note }: Station, width: number, size: Size): string {
	const time = duration(afterMs).padStart(7);
	const shownNote = size === "wide" && note !== "" ? `  ${note}` : "";
	return `${mark}${time}${paint("dim", shownNote.padEnd(width - 1 - time.length))}`;
}

function kilobytes({ sizeBytes }: Journey): string {
	return `${(sizeBytes / 1000).toFixed(1)} kB`;
}
