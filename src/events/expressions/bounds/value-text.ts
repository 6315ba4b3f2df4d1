/** Converts values to JSON text. The size is measured first, because a value can be larger than its inputs. */
import { MAX_EVENT_BYTES } from "../../event.ts";
import { isFunction, type Meter } from "./meter.ts";

/** The maximum size of an expression's result, as JSON in UTF-8: an event, plus some room for a wrapper. */
const MAX_JSON_BYTES = MAX_EVENT_BYTES + 65_536;
/** The same limit as for incoming JSON (json/structure.ts). */
const MAX_LEVELS = 1_000;

/** Charges for the text that JSONata creates from a value. */
export function readText(value: unknown, meter: Meter): void {
	if (typeof value === "string") return meter.spend(value.length / 64);
	if (typeof value !== "object" || value === null) return;
	for (const { length } of measure(value)) {
		meter.spend(20);
		meter.checkText(length);
	}
}

/** Like `readText`, for a text with line breaks and an indent of two spaces per level. */
export function readPrettyText(value: unknown, meter: Meter): void {
	let indentation = 0;
	for (const { length, level } of measure(value)) {
		meter.spend(20);
		indentation += 2 * level + 2;
		meter.spend(level / 8);
		meter.checkText(length + indentation);
	}
}

/** Returns the JSON text of an expression's result, or an error if it is missing or not JSON. */
export function toJson(value: unknown): { ok: true; json: string } | { ok: false; message: string } {
	if (value === undefined) return fail("the expression returned no value");
	for (const { at, length, level } of measure(value)) {
		if (isFunction(at)) return fail("the expression returned a function, which is not JSON");
		if (typeof at === "number" && !Number.isFinite(at)) {
			return fail(`the expression returned the number ${at}, which JSON cannot represent`);
		}
		if (level > MAX_LEVELS) return fail(`the value nests more than ${MAX_LEVELS} levels`);
		if (length > MAX_JSON_BYTES) return fail(TOO_LARGE);
	}
	const json = JSON.stringify(value);
	return Buffer.byteLength(json) > MAX_JSON_BYTES ? fail(TOO_LARGE) : { ok: true, json };
}

const TOO_LARGE = `the value is larger than ${MAX_JSON_BYTES} bytes of JSON`;

function fail(message: string): { ok: false; message: string } {
	return { ok: false, message };
}

interface Measured {
	at: unknown;
	/** A lower bound of the length of the JSON text so far. */
	length: number;
	/** How many containers the value is nested in. */
	level: number;
}

/**
 * Yields every value within `root`: a value that occurs in several places, that many times; one that contains itself,
 * without end. The order differs from the order of the text.
 */
function* measure(root: unknown): Generator<Measured, void, undefined> {
	const open: { at: unknown; level: number }[] = [{ at: root, level: 0 }];
	let length = 0;
	for (let next = open.pop(); next !== undefined; next = open.pop()) {
		const { at, level } = next;
		if (typeof at === "string") length += at.length + 2;
		else if (typeof at !== "object" || at === null || isFunction(at)) length += 1;
		else if (JSON.isRawJSON(at)) length += (at as { rawJSON: string }).rawJSON.length;
		else if (Array.isArray(at)) {
			length += at.length + 2;
			for (const item of at) open.push({ at: item, level: level + 1 });
		} else {
			length += 2;
			for (const [name, item] of Object.entries(at)) {
				length += name.length + 4;
				open.push({ at: item, level: level + 1 });
			}
		}
		yield { at, length, level };
	}
}
