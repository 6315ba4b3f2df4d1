/**
 * Functions with picture strings, for numbers and times. With some pictures or options, JSONata's functions run forever
 * or create texts of any length, so only safe ones are allowed.
 */
import type { BoundedFunction, Call } from "../bounds/call.ts";
import { type CompiledRegExp, compileRegExp } from "../bounds/linear-regexp.ts";
import { MeteredRegExp } from "../bounds/metered-regexp.ts";
import type { Meter } from "../bounds/meter.ts";
import { withGlobal } from "../with-global.ts";

/** The maximum length of a picture, in characters. Some loops take time proportional to its square. */
const MAX_PICTURE = 256;
/** The maximum length of a text that is parsed with a picture, in characters. */
const MAX_READ = 1_000;
/** The maximum width of a part of a time, and the maximum number of Ms in a Roman numeral. */
const MAX_WIDTH = 100;
const MAX_ROMAN = 1_000_000;
/**
 * The cost of analysing and using a picture, the cost for each of its characters, and the cost of turning it into a
 * regular expression.
 */
const PICTURE_WORK = 500;
const CHARACTER_WORK = 30;
const COMPILE_WORK = 600;

export const pictureFunctions: Record<string, BoundedFunction> = {
	formatBase({ args: [number, radix], native }) {
		refuseInfinite(number);
		return native(number, radix);
	},
	formatInteger({ args: [number, picture], meter, native }) {
		usePicture(picture, meter);
		refuseInfinite(number);
		if (/^i(;|$)/i.test(String(picture)) && Math.abs(Number(number)) > MAX_ROMAN) {
			throw new Error(`the largest Roman numeral here is ${MAX_ROMAN}`);
		}
		return native(number, picture);
	},
	formatNumber({ args: [number, picture, options], meter, native }) {
		usePicture(picture, meter);
		refuseInfinite(number);
		for (const [name, value] of Object.entries(options ?? {})) refuseOption(name, value);
		return native(number, picture, options);
	},
	parseInteger({ args: [text, picture], meter, native }) {
		usePicture(picture, meter);
		refuseLong(text);
		return native(text, picture);
	},
	fromMillis({ args: [millis, picture, zone], meter, native }) {
		usePicture(picture, meter);
		refuseInfinite(millis);
		return native(millis, picture, zone);
	},
	toMillis,
	millis: ({ focus }) => focus.environment.timestamp.getTime(),
	now({ args: [picture, zone], focus, meter, other }) {
		usePicture(picture, meter);
		return other("fromMillis", focus.environment.timestamp.getTime(), picture, zone);
	},
};

/** JSONata turns the picture into a regular expression. JavaScript's engine could run forever on it. */
function toMillis({ args: [text, picture], meter, native }: Call): unknown {
	usePicture(picture, meter);
	refuseLong(text);
	if (picture === undefined) return native(text, picture);
	const stand = function (source: string, flags: string): MeteredRegExp {
		const compiled = compileOnce(source, flags, meter);
		if (!compiled.ok) throw new Error(`the picture cannot be used for parsing: ${compiled.message}`);
		return new MeteredRegExp(compiled.regExp, meter);
	};
	return withGlobal("RegExp", stand, () => native(text, picture));
}

/** One per evaluation, so that a list of times is charged for its picture only once. */
const compiledOf = new WeakMap<Meter, Map<string, CompiledRegExp>>();

function compileOnce(source: string, flags: string, meter: Meter): CompiledRegExp {
	const compiled = compiledOf.get(meter) ?? new Map<string, CompiledRegExp>();
	compiledOf.set(meter, compiled);
	const known = compiled.get(source);
	if (known !== undefined) return known;
	meter.spend(COMPILE_WORK * source.length);
	const made = compileRegExp({ source, flags });
	compiled.set(source, made);
	return made;
}

function usePicture(picture: unknown, meter: Meter): void {
	meter.spend(PICTURE_WORK);
	if (typeof picture !== "string") return;
	if (picture.length > MAX_PICTURE) throw new Error(`a picture can have at most ${MAX_PICTURE} characters`);
	meter.spend(CHARACTER_WORK * picture.length);
	for (const [, marker = ""] of picture.matchAll(/\[([^\]]*)\]/g)) {
		const comma = marker.lastIndexOf(",");
		if (comma === -1) continue;
		for (const width of marker
			.slice(comma + 1)
			.replaceAll(/\s/g, "")
			.split("-")) {
			// Parsed as JSONata does, which reads 0xffffff as a number. oxlint-disable-next-line radix
			if (Number.parseInt(width) > MAX_WIDTH)
				throw new Error(`a width in a picture can be at most ${MAX_WIDTH}`);
		}
	}
}

function refuseInfinite(number: unknown): void {
	if (number === undefined || Number.isFinite(number)) return;
	throw new Error("a number to be formatted must be finite");
}

function refuseLong(text: unknown): void {
	if (typeof text !== "string" || text.length <= MAX_READ) return;
	throw new Error(`a text parsed with a picture can have at most ${MAX_READ} characters`);
}

/** The options that can be texts of any length. All others are one character. */
const WORDS: readonly string[] = ["infinity", "minus-sign", "NaN"];

function refuseOption(name: string, value: unknown): void {
	if (typeof value === "string" && (WORDS.includes(name) ? value.length <= 100 : value.length === 1)) return;
	throw new Error(`the option ${name.slice(0, 100)} of $formatNumber must be one character`);
}
