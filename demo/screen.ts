/**
 * The demo's output: on a terminal a region that is redrawn, elsewhere one line per event. The content comes from
 * table.ts and report.ts.
 */
import { stripVTControlCharacters } from "node:util";
import { isTerminal, paint } from "../scripts/paint.ts";
import type { Journey, Stage } from "./journey.ts";
import { duration, journeyLine, journeyTable } from "./table.ts";
import { visibleWidth, wrapWords } from "../scripts/wrap.ts";

const FRAME_MS = 80;
const SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
/** The column where the details of a step begin. */
const STEP_MARGIN = 28;
/** The width if it is unknown, as in a file. */
const DEFAULT_COLUMNS = 100;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

interface Step {
	name: string;
	startedAt: number;
	/** What to print once it is done. */
	done?: { detail: string; tookMs: number };
	failed?: true;
}

export interface Screen {
	/** The current maximum width of a line. */
	columns: () => number;
	print: (...lines: string[]) => void;
	/** Runs `work` and shows that it is running, then how long it took and the description of its result. */
	step: <T>(name: string, work: () => Promise<T>, describe: (value: T) => string) => Promise<T>;
	/** Ends the list of steps and begins the table of journeys. */
	showJourneys: (all: () => Journey[]) => void;
	journeyChanged: (journey: Journey, stage?: Stage) => void;
	/** Leaves the last frame on the screen. From here on, lines are printed one by one. */
	settle: () => void;
}

export function openScreen(clock: () => number): Screen {
	const steps: Step[] = [];
	const region = isTerminal ? openRegion() : null;
	const stepLines = () => steps.flatMap((step) => linesOf(step, spinnerAt(clock()), columns()));

	return {
		columns,
		print: (...lines) => console.log(lines.join("\n")),
		step: async (name, work, describe) => {
			const step: Step = { name, startedAt: clock() };
			steps.push(step);
			region?.draw(stepLines);
			try {
				const value = await work();
				step.done = { detail: describe(value), tookMs: clock() - step.startedAt };
				if (region === null) console.log(linesOf(step, "", columns()).join("\n"));
				return value;
			} catch (error) {
				step.failed = true;
				throw error;
			}
		},
		showJourneys: (all) => {
			if (region === null)
				console.log(paint("dim", " Times count from the arrival of each scan in the bucket."));
			region?.settle();
			region?.draw((columns) => journeyTable(all(), clock(), spinnerAt(clock()), columns));
		},
		journeyChanged: (journey, stage) => {
			if (region === null || !region.isDrawing()) console.log(journeyLine(journey, stage));
		},
		settle: () => region?.settle(),
	};
}

function columns(): number {
	return process.stdout.columns ?? DEFAULT_COLUMNS;
}

interface Region {
	/** Draws these lines now and in every frame, until the next call. */
	draw: (render: (columns: number) => string[]) => void;
	isDrawing: () => boolean;
	settle: () => void;
}

/** The last lines of the terminal. The cursor stays below them, so that a crash leaves a clean prompt. */
function openRegion(): Region {
	let render: ((columns: number) => string[]) | null = null;
	let height = 0;
	const frame = () => {
		if (render === null) return;
		const { columns, rows } = process.stdout;
		// Lines that have scrolled off the screen cannot be redrawn.
		const lines = render(columns).slice(-(rows - 1));
		const up = height === 0 ? "" : `\u001b[${height}A`;
		process.stdout.write(`${up}\r\u001b[J${lines.map((line) => `${clip(line, columns)}\n`).join("")}`);
		height = lines.length;
	};
	let timer: NodeJS.Timeout | undefined;
	process.once("exit", () => process.stdout.write(SHOW_CURSOR));
	return {
		draw: (next) => {
			render = next;
			timer ??= setInterval(frame, FRAME_MS);
			process.stdout.write(HIDE_CURSOR);
			frame();
		},
		isDrawing: () => render !== null,
		settle: () => {
			frame();
			clearInterval(timer);
			timer = undefined;
			render = null;
			height = 0;
			process.stdout.write(SHOW_CURSOR);
		},
	};
}

function linesOf({ name, done, failed }: Step, spinner: string, columns: number): string[] {
	const mark = failed ? paint("red", "✘") : done ? paint("green", "✔") : paint("yellow", spinner);
	const time = done === undefined ? "" : duration(done.tookMs);
	const first = ` ${mark} ${name.padEnd(14)}${paint("dim", time.padStart(8))}   `;
	return wrapWords(done?.detail ?? "", columns, { first, rest: " ".repeat(STEP_MARGIN) });
}

function spinnerAt(now: number): string {
	return SPINNER[Math.floor(now / FRAME_MS) % SPINNER.length] ?? "";
}

/** A wrapped line would break the line count, so a line that is too long is cut, without its colours. */
function clip(line: string, columns: number): string {
	if (visibleWidth(line) < columns) return line;
	return `${stripVTControlCharacters(line).slice(0, columns - 2)}…`;
}
