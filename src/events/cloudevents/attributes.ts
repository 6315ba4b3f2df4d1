/**
 * The rules for CloudEvents 1.0 context attributes (core specification, section "Context Attributes"), the same
 * for every mode and binding. Independent of HTTP.
 */
import { type AttributeValue, type Attributes, type CloudEvent, ROUTER_PREFIX } from "../event.ts";
import { isMediaType } from "./media-type.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { isUriReference } from "./uri.ts";

const REQUIRED = ["id", "source", "type"] as const;
const NON_EMPTY = new Set(["id", "source", "type", "subject", "time", "dataschema", "datacontenttype"]);
const MIN_INTEGER = -(2 ** 31);
const MAX_INTEGER = 2 ** 31 - 1;

/** The UTF-8 size of a value. A percent-encoded header is at most three times as long. */
const MAX_VALUE_BYTES = 1_024;
/** The UTF-8 size of all names and values of an event, without the router's own attributes. */
const MAX_ATTRIBUTES_BYTES = 16_384;
const MAX_ATTRIBUTES = 64;
const MAX_NAME_LENGTH = 64;

export type CheckedAttributes = { ok: true; attributes: Attributes } | Refusal;

/**
 * Checks received attributes, including `specversion`; null counts as absent. `at` is their position in the request,
 * such as "[3]", and the prefix of paths in refusals.
 */
export function checkAttributes(raw: Iterable<readonly [string, unknown]>, at = ""): CheckedAttributes {
	const attributes: Record<string, AttributeValue> = {};
	let count = 0;
	let most = 0;
	for (const [name, value] of raw) {
		if (value === null || value === undefined) continue;
		if (++count > MAX_ATTRIBUTES) {
			return refuse(400, "too_many_attributes", `An event can have at most ${MAX_ATTRIBUTES} attributes.`);
		}
		const tooLong = whyTooLong(name, value);
		if (tooLong !== null) return tooLongRefusal(tooLong, name, at);
		const wrong = whyNotAttribute(name, value);
		if (wrong !== null) return invalid(wrong, name, at);
		attributes[name] = value as AttributeValue;
		most += name.length + mostBytes(value as AttributeValue);
		if (most > MAX_ATTRIBUTES_BYTES && bytesOf(attributes) > MAX_ATTRIBUTES_BYTES) {
			const what = `is too much: all attributes together can have at most ${MAX_ATTRIBUTES_BYTES} bytes`;
			return tooLongRefusal(what, name, at);
		}
	}
	const { specversion, ...rest } = attributes;
	if (specversion === undefined) return invalid("is required", "specversion", at);
	if (specversion !== "1.0") return invalid('must be "1.0"', "specversion", at);
	const missing = REQUIRED.find((name) => rest[name] === undefined);
	if (missing !== undefined) return invalid("is required", missing, at);
	// The loop above has checked the types of all names that Attributes declares.
	return { ok: true, attributes: rest as Attributes };
}

/** Checked first, so that the lengths bound the cost of all later checks. */
function whyTooLong(name: string, value: unknown): string | null {
	if (name.length > MAX_NAME_LENGTH) return `has a name of more than ${MAX_NAME_LENGTH} characters`;
	return typeof value === "string" && !isAttributeLength(value)
		? `has more than ${MAX_VALUE_BYTES} bytes`
		: null;
}

/** Returns whether `value` is short enough for an attribute. */
export function isAttributeLength(value: AttributeValue): boolean {
	if (mostBytes(value) <= MAX_VALUE_BYTES) return true;
	return String(value).length <= MAX_VALUE_BYTES && Buffer.byteLength(String(value)) <= MAX_VALUE_BYTES;
}

/**
 * Returns an upper bound: a UTF-16 code unit takes at most three bytes, a number or boolean at most eleven, so short
 * values need no exact count.
 */
function mostBytes(value: AttributeValue): number {
	return typeof value === "string" ? value.length * 3 : 11;
}

/** Returns `attributes` with those of `more` that fit into the event; the others are dropped. */
export function withFitting(
	attributes: Attributes,
	more: readonly (readonly [name: string, value: AttributeValue])[],
): Attributes {
	const filled: Attributes = { ...attributes };
	let count = Object.keys(filled).length;
	let bytes = bytesOf(filled);
	for (const [name, value] of more) {
		const size = name.length + Buffer.byteLength(String(value));
		if (!isAttributeLength(value) || count >= MAX_ATTRIBUTES || bytes + size > MAX_ATTRIBUTES_BYTES) continue;
		filled[name] = value;
		count += 1;
		bytes += size;
	}
	return filled;
}

function bytesOf(attributes: Readonly<Partial<Record<string, AttributeValue>>>): number {
	const entries = Object.entries(attributes);
	return entries.reduce((sum, [name, value]) => sum + name.length + Buffer.byteLength(String(value)), 0);
}

function whyNotAttribute(name: string, value: unknown): string | null {
	if (!/^[a-z0-9]+$/.test(name))
		return "is not a valid attribute name; use only lower-case letters and digits";
	if (name === "data") return "is reserved and cannot be an attribute";
	if (NON_EMPTY.has(name)) {
		if (typeof value !== "string" || value === "") return "must be a non-empty string";
		if (name === "source" && !isUriReference(value)) return "must be a URI reference, such as /scanner/7";
		if (name === "time" && !isTimestamp(value)) return "must be a time as in RFC 3339";
		if (name === "datacontenttype" && !isMediaType(value)) return "must be a media type";
	}
	if (typeof value === "string")
		return isAttributeText(value) ? null : "contains characters that CloudEvents forbids";
	if (typeof value === "boolean") return null;
	if (typeof value !== "number") return "must be a string, an integer or a boolean";
	const isInteger = Number.isInteger(value) && value >= MIN_INTEGER && value <= MAX_INTEGER;
	return isInteger ? null : "must be a 32-bit integer if it is a number";
}

/** Returns whether the text is a CloudEvents String: no control characters, lone surrogates or noncharacters. */
export function isAttributeText(text: string): boolean {
	return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}

const TIMESTAMP =
	/^(\d{4})-(0[1-9]|1[0-2])-(\d{2})T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

/** Returns whether the text is a `date-time` of RFC 3339, section 5.6, with a valid day of the month. */
export function isTimestamp(text: string): boolean {
	const [, year, month, day] = TIMESTAMP.exec(text) ?? [];
	if (year === undefined) return false;
	const daysOfMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
	return Number(day) >= 1 && Number(day) <= daysOfMonth;
}

function invalid(what: string, name: string, at: string): Refusal {
	const path = pathOf(name, at);
	return refuse(400, "invalid_cloudevent", `"${path}" ${what}.`, path);
}

function tooLongRefusal(what: string, name: string, at: string): Refusal {
	const path = pathOf(name, at);
	return refuse(400, "attribute_too_long", `"${path}" ${what}.`, path);
}

function pathOf(name: string, at: string): string {
	const short = name.slice(0, MAX_NAME_LENGTH);
	return at === "" ? short : `${at}.${short}`;
}

/** Removes the attributes that only the router may set. For external events. */
export function stripRouterAttributes<T extends CloudEvent>(event: T): T {
	const kept = Object.entries(event.attributes).filter(([name]) => !name.startsWith(ROUTER_PREFIX));
	if (kept.length === Object.keys(event.attributes).length) return event;
	return { ...event, attributes: Object.fromEntries(kept) as Attributes };
}
