/**
 * Reads a body as a JSON object: parsed once for access, with its exact text kept for delivery. The limits for every
 * provider are here: bodies that are not an object, nest too deep or have duplicate members are refused.
 */
import { refuseStructure } from "../../events/json/structure.ts";
import { memberTexts } from "../../events/json/text.ts";
import { isJson, isUtf8, parseMediaType } from "../../events/cloudevents/media-type.ts";
import { readJson } from "../../events/payload.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { usableText } from "./attribute-values.ts";
import { idFrom } from "./publisher-id.ts";

export interface JsonObject {
	/** The exact text. */
	text: string;
	value: Readonly<Record<string, unknown>>;
}

interface Sent {
	headers: Headers;
	body: Uint8Array;
}

/** Refuses other content types with 415. A missing content type is accepted. */
export function refuseUnlessJson({ headers, body }: Sent): Refusal | null {
	const mediaType = parseMediaType(headers.get("content-type"));
	if (mediaType.essence === "" || (isJson(mediaType) && isUtf8(mediaType, body))) return null;
	return refuse(
		415,
		"unsupported_media_type",
		"This source accepts only JSON in UTF-8. Send content-type: application/json.",
	);
}

/**
 * Refuses with 400: `invalid_json`; `invalid_payload` if the value is not an object; `nested_too_deep`;
 * `duplicate_member` if the outermost object has a member twice, because sender and receiver could use different ones.
 * Nested objects are not checked for duplicates.
 */
export function readJsonObject(body: Uint8Array): { ok: true; json: JsonObject } | Refusal {
	const parsed = readJson(body);
	if (!parsed.ok) return parsed;
	const { text, value } = parsed;
	if (!isObject(value)) return refuse(400, "invalid_payload", "The body must be a JSON object.");
	return refuseStructure(text) ?? { ok: true, json: { text, value } };
}

/** Reads a request with a JSON object. Refuses like the two functions above. */
export function readJsonRequest(sent: Sent): ReturnType<typeof readJsonObject> {
	return refuseUnlessJson(sent) ?? readJsonObject(sent.body);
}

/** Returns whether the value is an object, and not an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Returns the value at `path`, or undefined. */
export function valueAt({ value }: Pick<JsonObject, "value">, ...path: string[]): unknown {
	let at: unknown = value;
	for (const name of path) {
		if (!isObject(at) || !Object.hasOwn(at, name)) return undefined;
		at = at[name];
	}
	return at;
}

/**
 * Returns the string or number at `path` as text, with all digits of the publisher, or undefined if there is none or it
 * cannot be an attribute.
 */
export function textAt(json: JsonObject, ...path: string[]): string | undefined {
	return usableText(scalarAt(json, path));
}

/** Like `textAt`, for event ids: a text that cannot be an attribute is hashed. Returns undefined if it is empty. */
export function idAt(json: JsonObject, ...path: string[]): string | undefined {
	return idFrom(scalarAt(json, path));
}

/** Returns the string or number at `path` as text, without the limits of attributes, or undefined. */
export function scalarTextAt(json: JsonObject, ...path: string[]): string | undefined {
	return scalarAt(json, path);
}

function scalarAt(json: JsonObject, path: readonly string[]): string | undefined {
	const value = valueAt(json, ...path);
	if (typeof value === "string") return value;
	if (typeof value !== "number") return undefined;
	if (Number.isSafeInteger(value)) return String(value);
	return path.reduce((text, name) => memberTexts(text).get(name) ?? "", json.text);
}
