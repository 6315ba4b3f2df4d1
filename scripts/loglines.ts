/**
 * What `npm run dev` shows of the router's output: its JSON log lines and wrangler's lines about requests made
 * readable, errors as they are, and nothing of wrangler's other chatter. With `--json`, the JSON log lines as they are.
 */
import { clockTime, deliveryText } from "./delivery-lines.ts";
import { paint } from "./paint.ts";

/** wrangler's line for a completed request. */
const REQUEST = /^\[wrangler:info\] ([A-Z]+) (\/\S*) (\d{3})\D*\((\d+)ms\)$/;

/** A callback URL lets its owner end a delivery. */
const CALLBACK_TOKEN = /^(\/callbacks\/[^/]*\/)\S+/;

/** Log events that need attention. */
const TROUBLE =
	/refused|failed|stopped|missing|no_table|un(claimed|reachable|readable|resolved|told|written)/;

/** Lines that wrangler prints at start and reload. */
const CHATTER = [
	/^\[wrangler:info\]/,
	/^⎔ (?!Reloading)/,
	/^Using (secrets|vars) defined in /,
	/^Your Worker has access to /,
	/^Binding\s+Resource\s+Mode$/,
	/^env\.\w+ .*\slocal$/,
];

/** What wrangler puts before a line of console.warn and console.error. */
const SEVERITY = /^[✘▲] \[(ERROR|WARNING)\] /;

/** Returns the line to print for a line of output, or null to hide it. */
export function readableLine(line: string): string | null {
	const entry = parseEntry(line.replace(SEVERITY, ""));
	if (entry !== null) return formatEntry(entry);
	const [, method, path, status, ms] = REQUEST.exec(line) ?? [];
	if (path !== undefined) {
		return formatLine(
			`${method} ${status}`,
			Number(status) >= 400,
			`${path.replace(CALLBACK_TOKEN, "$1***")}  ${paint("dim", `${ms} ms`)}`,
		);
	}
	if (CHATTER.some((pattern) => pattern.test(line))) return null;
	if (line.startsWith("⎔ Reloading")) return paint("dim", "Reloaded.");
	return /\berror\b/i.test(line) ? paint("red", line) : line;
}

/** The JSON text of a log line, without what wrangler puts before it; null for everything else. */
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
	if (text !== null) return `${timeNow()}  ${text}`;
	const name = typeof event === "string" ? event : "log";
	const facts = Object.entries(fields)
		.filter(([, value]) => value !== null)
		.map(([key, value]) => {
			return `${paint("dim", `${key}=`)}${typeof value === "string" ? value : JSON.stringify(value)}`;
		});
	return formatLine(name, TROUBLE.test(name), facts.join(" "));
}

/** `text` begins in the same column on every line but those of the few events with a longer name. */
function formatLine(name: string, isTrouble: boolean, text: string): string {
	const title = paint(isTrouble ? "red" : "cyan", name.padEnd(20));
	return `${timeNow()}  ${title}  ${text}`;
}

function timeNow(): string {
	return paint("dim", clockTime(new Date()));
}
