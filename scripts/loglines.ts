/**
 * How `npm run dev` prints the router's output: JSON log lines and wrangler's request lines in readable form, errors
 * unchanged, and none of wrangler's other lines. With `--json`, JSON log lines unchanged.
 */
import { clockTime, deliveryText } from "./delivery-lines.ts";
import { paint } from "./paint.ts";
import { wrapWords } from "./wrap.ts";

/** Where the text after the time begins. */
const TEXT_COLUMN = 10;

/** wrangler's line for a completed request. */
const REQUEST = /^\[wrangler:info\] ([A-Z]+) (\/\S*) (\d{3})\D*\((\d+)ms\)$/;

/** The token of a callback URL must not be printed: it allows anyone to end the delivery. */
const CALLBACK_TOKEN = /^(\/callbacks\/[^/]*\/)\S+/;

/** Log events that need attention. */
const TROUBLE =
	/refused|failed|stopped|missing|no_table|un(claimed|reachable|readable|resolved|told|written)/;

/** Lines that wrangler prints on start and reload. */
const CHATTER = [
	/^\[wrangler:info\]/,
	/^⎔ (?!Reloading)/,
	/^Using (secrets|vars) defined in /,
	/^Your Worker has access to /,
	/^Binding\s+Resource\s+Mode$/,
	/^env\.\w+ .*\slocal$/,
];

/** wrangler's prefix for lines of console.warn and console.error. */
const SEVERITY = /^[✘▲] \[(ERROR|WARNING)\] /;

/**
 * Returns what to print for a line of output, or null to hide it. What is formatted here is wrapped at words below
 * `columns`.
 */
export function readableLine(line: string, columns = Infinity): string | null {
	const entry = parseEntry(line.replace(SEVERITY, ""));
	if (entry !== null) return timed(formatEntry(entry), columns);
	const [, method, path, status, ms] = REQUEST.exec(line) ?? [];
	if (path !== undefined) {
		const what = `${path.replace(CALLBACK_TOKEN, "$1***")}  ${paint("dim", `${ms} ms`)}`;
		return timed(formatLine(`${method} ${status}`, Number(status) >= 400, what), columns);
	}
	if (CHATTER.some((pattern) => pattern.test(line))) return null;
	if (line.startsWith("⎔ Reloading")) return paint("dim", "Reloaded.");
	return /\berror\b/i.test(line) ? paint("red", line) : line;
}

/** Returns the JSON text of a log line without wrangler's prefix, or null for any other line. */
export function jsonLine(line: string): string | null {
	const text = line.replace(SEVERITY, "");
	return parseEntry(text) === null ? null : text;
}

function parseEntry(line: string): Record<string, unknown> | null {
	if (!line.startsWith("{")) return null;
	try {
		return JSON.parse(line) as Record<string, unknown>;
	} catch {
		// An object printed by console.log while debugging; shown as it is.
		return null;
	}
}

/** Hides fields that are null, which only add noise on a terminal. */
function formatEntry({ event, ...fields }: Record<string, unknown>): string {
	const text = deliveryText(event, fields);
	if (text !== null) return text;
	const name = typeof event === "string" ? event : "log";
	const facts = Object.entries(fields)
		.filter(([, value]) => value !== null)
		.map(([key, value]) => {
			return `${paint("dim", `${key}=`)}${typeof value === "string" ? value : JSON.stringify(value)}`;
		});
	return formatLine(name, TROUBLE.test(name), facts.join(" "));
}

/** `text` begins in the same column on every line, except after the few events with a longer name. */
function formatLine(name: string, isTrouble: boolean, text: string): string {
	const title = paint(isTrouble ? "red" : "cyan", name.padEnd(20));
	return `${title}  ${text}`;
}

function timed(text: string, columns: number): string {
	const time = paint("dim", clockTime(new Date()));
	return wrapWords(`${time}  ${text}`, columns, { first: "", rest: " ".repeat(TEXT_COLUMN) }).join("\n");
}
