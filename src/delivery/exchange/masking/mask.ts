/**
 * Masks the credentials of an endpoint in what it returns: a server that echoes its request must
 * not put them into results, events and logs. Finds them unchanged, JSON-escaped, percent-encoded
 * and inside base64. Pure; one pass over the text for each form, whatever the text contains.
 */
import { Buffer } from "node:buffer";
import { HIDDEN } from "../../../crypto/hidden.ts";
import { stringEnd } from "../../../events/json/text.ts";
import { type View, views } from "./unescaped.ts";

/**
 * Credentials in the forms in which they may appear in a response; see `formsOf`.
 */
export type Forms = readonly string[];

/** A shorter piece of base64 may occur by chance. */
const MIN_BASE64 = 8;

/**
 * Every form of these secrets to look for; secrets of fewer than `minLength` characters are left
 * out.
 */
export function formsOf(secrets: readonly string[], minLength: number): Forms {
	const long = secrets.filter((secret) => secret.length >= minLength);
	return [...new Set(long.flatMap(formsOfOne))];
}

function formsOfOne(secret: string): string[] {
	// Form encoding writes a space as a plus; the content of base64 is usually JSON.
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

/** For valid JSON, which stays valid: only the inside of a string or a whole number is replaced. */
export function maskJson(text: string, forms: Forms): string {
	// Text with escapes is only searched in its decoded form: a match in the raw text could end in the
	// middle of an escape.
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

/**
 * For binary data; its length does not change. Returns the same array if there is nothing to mask.
 */
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
 * The base64 of a secret, and the parts that are certain to appear in the base64 of any text around
 * it: the secret has one of three alignments, and its edge characters share bits with the text
 * around it.
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

/**
 * The first JSON string at or after `from`, with its quotes; `from` must be outside any
 * string.
 */
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
