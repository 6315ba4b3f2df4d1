/** Functions on texts, charged for the length of what they read, and for what they create before they create it. */
import type { BoundedFunction, Call } from "../bounds/call.ts";
import { searchWork } from "../bounds/metered-text.ts";
import { MAX_ARRAY, type Meter } from "../bounds/meter.ts";
import { expand, type Match } from "./replacement.ts";
import { readPrettyText, readText } from "../bounds/value-text.ts";

export const textFunctions: Record<string, BoundedFunction> = {
	base64decode: readAndMake,
	base64encode: readAndMake,
	decodeUrl: readAndMake,
	decodeUrlComponent: readAndMake,
	encodeUrl: readAndMake,
	encodeUrlComponent: readAndMake,
	length: readCharacters,
	lowercase: readAndMake,
	number: readAndMake,
	substring: readCharacters,
	substringAfter: search,
	substringBefore: search,
	trim: readAndMake,
	uppercase: readAndMake,

	contains: search,
	// The regular expression charges for its own work, and the list for its items.
	match: ({ args, native }) => native(...args),
	split({ args: [text, separator, limit], meter, native }) {
		const isOwn = typeof text === "string" && typeof separator === "string" && !(Number(limit) < 0);
		if (!isOwn) return native(text, separator, limit);
		spendSearch(text, separator, meter);
		// One more than an array may have, to detect that there are too many.
		const most = Math.min(typeof limit === "number" ? limit : Number.POSITIVE_INFINITY, MAX_ARRAY + 1);
		const parts = text.split(separator, most);
		meter.makeArray(parts.length);
		return parts;
	},
	join({ args: [texts, separator], meter, native }) {
		if (!Array.isArray(texts)) return native(texts, separator);
		meter.spend(texts.length);
		const between = typeof separator === "string" ? separator.length : 0;
		const length = texts.reduce<number>((sum, text) => sum + String(text).length + between, 0);
		meter.makeText(length);
		return native(texts, separator);
	},
	pad({ args: [text, width, filler], meter, native }) {
		if (typeof text === "string" && typeof width === "number") {
			meter.spend(2 * text.length);
			const fill = typeof filler === "string" ? Math.max(1, filler.length) : 1;
			meter.makeText(text.length + Math.abs(width) * fill);
			meter.spend(2 * Math.abs(width));
		}
		return native(text, width, filler);
	},
	replace,
	string({ args: [value, pretty], meter, native }) {
		(pretty === true ? readPrettyText : readText)(value, meter);
		return native(value, pretty);
	},
};

/** The result is about as long as the text; percent-encoding can make it nine times as long. */
function readAndMake({ args, meter, native }: Call): unknown {
	if (typeof args[0] === "string") meter.spend(args[0].length);
	return native(...args);
}

/** JSONata creates an array of all characters. */
function readCharacters({ args, meter, native }: Call): unknown {
	if (typeof args[0] === "string") meter.spend(4 * args[0].length);
	return native(...args);
}

function search({ args, meter, native }: Call): unknown {
	if (typeof args[0] === "string" && typeof args[1] === "string") spendSearch(args[0], args[1], meter);
	return native(...args);
}

function spendSearch(text: string, part: string, meter: Meter): void {
	meter.spend(searchWork(text.length, part.length));
}

/** Reimplemented, because the result can be as long as the square of the input. */
async function replace({ args, meter, native }: Call): Promise<unknown> {
	const [text, pattern, replacement, limit] = args;
	// JSONata's own function refuses these arguments without doing any work.
	if (typeof text !== "string" || pattern === "" || (typeof limit === "number" && limit < 0)) {
		return native(typeof text === "string" ? "" : text, pattern, replacement, limit);
	}
	const most = typeof limit === "number" ? limit : Number.POSITIVE_INFINITY;
	const made: string[] = [];
	let length = 0;
	let position = 0;
	const add = (part: string): void => {
		length += part.length;
		meter.checkText(length);
		meter.spend(part.length / 2);
		made.push(part);
	};
	if (typeof pattern === "string") {
		spendSearch(text, pattern, meter);
		for (let count = 0; count < most; count++) {
			const found = text.indexOf(pattern, position);
			if (found === -1) break;
			meter.spend(10);
			add(text.slice(position, found));
			// As in JSONata, a function as an argument has no meaning here.
			add(String(replacement));
			position = found + pattern.length;
		}
	} else {
		let match = (await (pattern as (text: string) => unknown)(text)) as Match | undefined;
		for (let count = 0; count < most && match !== undefined; count++) {
			add(text.slice(position, match.start));
			add(await replacementOf(match, replacement, meter));
			position = match.start + match.match.length;
			match = (await match.next()) as Match | undefined;
		}
	}
	add(text.slice(position));
	return made.join("");
}

async function replacementOf(match: Match, replacement: unknown, meter: Meter): Promise<string> {
	if (typeof replacement === "string") {
		meter.spend(replacement.length / 8);
		const references = replacement.split("$").length - 1;
		meter.checkText(replacement.length + references * match.match.length);
		return expand(replacement, match);
	}
	const made = await (replacement as (match: Match) => unknown)(match);
	if (typeof made !== "string") throw new Error("a replacement must be a string");
	return made;
}
