/**
 * Hides the credentials of an endpoint in what it sends back: a server that echoes its request must not put them into
 * results, events and logs. Found as they are, escaped as in JSON, percent-encoded and within base64. Pure; one pass
 * over the text for each form, whatever stands in it.
 */
import { Buffer } from "node:buffer";
import { stringEnd } from "../../events/json/text.ts";
import { type View, views } from "./unescaped.ts";

const HIDDEN = "***";

/** Credentials as they may turn up in a response; see `formsOf`. */
export type Forms = readonly string[];

/** A shorter piece of base64 may occur by chance. */
const MIN_BASE64 = 8;

/** Every form of these secrets that is looked for; those of fewer than `minLength` characters are left out. */
export function formsOf(secrets: readonly string[], minLength: number): Forms {
	const long = secrets.filter((secret) => secret.length >= minLength);
	return [...new Set(long.flatMap(formsOfOne))];
}

function formsOfOne(secret: string): string[] {
	// Forms write a space as a plus; what is within base64 is JSON more often than not.
	const inJson = JSON.stringify(secret).slice(1, -1);
	return [secret, secret.replaceAll(" ", "+"), ...base64Of(secret), ...base64Of(inJson)];
}

/** For any text, complete or cut off. */
export function maskText(text: string, forms: Forms): string {
	const found = views(text).flatMap((view) => find(view, forms));
	return replace(
		text,
		found.map((range) => ({ ...range, by: HIDDEN })),
	);
}

/** For valid JSON, which stays valid: what is hidden is the inside of a string, or a whole number. */
export function maskJson(text: string, forms: Forms): string {
	// Text with escapes is only searched in its unescaped form: a match in the raw text could end in the middle of an
	// escape.
	const read = text.includes("\\") ? views(text).slice(1) : views(text);
	const found = read.flatMap((view) => find(view, forms));
	const masked: Replacement[] = [];
	let token = firstString(text, 0);
	for (const range of found.sort((a, b) => a.start - b.start)) {
		while (token !== null && token.end <= range.start) token = firstString(text, token.end);
		if (token !== null && token.start < range.start) {
			if (range.end < token.end) masked.push({ ...range, by: HIDDEN });
		} else if (isWholeNumber(text, range)) {
			masked.push({ ...range, by: `"${HIDDEN}"` });
		}
	}
	return replace(text, masked);
}

/** For binary data, whose length does not change. Returns the same array when there is nothing to hide. */
export function maskBytes(bytes: Buffer, forms: Forms): Buffer {
	let masked = bytes;
	for (const form of forms.map((form) => Buffer.from(form))) {
		for (let at = bytes.indexOf(form); at !== -1; at = bytes.indexOf(form, at + form.length)) {
			if (masked === bytes) masked = Buffer.from(bytes);
			masked.fill("*", at, at + form.length);
		}
	}
	return masked;
}

/**
 * The base64 of a secret, and what is sure to be found in the base64 of anything around it: its place there is one of
 * three, and the characters at its edges hold bits of its neighbours.
 */
function base64Of(secret: string): string[] {
	const bytes = Buffer.from(secret);
	const within = [0, 1, 2].map((before) => {
		const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
		return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
	});
	const long = [bytes.toString("base64"), ...within].filter(({ length }) => length >= MIN_BASE64);
	return [...long, ...long.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}

interface Range {
	start: number;
	end: number;
}

interface Replacement extends Range {
	by: string;
}

function find({ text, origin }: View, forms: Forms): Range[] {
	const ranges: Range[] = [];
	for (const form of forms) {
		for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + form.length)) {
			ranges.push({ start: origin(at), end: origin(at + form.length) });
		}
	}
	return ranges;
}

/** The first JSON string at or behind `from`, with its quotes; `from` is outside of any. */
function firstString(text: string, from: number): Range | null {
	const start = text.indexOf('"', from);
	return start === -1 ? null : { start, end: stringEnd(text, start) };
}

function isWholeNumber(text: string, { start, end }: Range): boolean {
	const around = text.charAt(start - 1) + text.charAt(end);
	return /^[\d.eE+-]+$/.test(text.slice(start, end)) && !/[\d.eE+-]/.test(around);
}

/** Replacements that overlap are merged into one. */
function replace(text: string, replacements: Replacement[]): string {
	let replaced = "";
	let at = 0;
	for (const { start, end, by } of replacements.sort((a, b) => a.start - b.start)) {
		if (start >= at) replaced += text.slice(at, start) + by;
		at = Math.max(at, end);
	}
	return replaced + text.slice(at);
}
