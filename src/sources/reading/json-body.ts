/**
 * The body of a publisher as a JSON object: parsed once for looking, its text kept for passing on. Here are the
 * limits that hold for every provider: what is no object, nests without end or says a thing twice is refused.
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

/** Refuses with 415 a content type that says it is something else; none at all passes. */
export function refuseUnlessJson({ headers, body }: Sent): Refusal | null {
	const mediaType = parseMediaType(headers.get("content-type"));
	if (mediaType.essence === "" || (isJson(mediaType) && isUtf8(mediaType, body))) return null;
	return refuse(415, "unsupported_media_type", "This source takes JSON in UTF-8: send application/json.");
}

/**
 * Refuses with 400: `invalid_json`; `invalid_payload` for another JSON value than an object; `nested_too_deep`;
 * `duplicate_member` when a member of the object itself stands there twice, because sender and receiver could
 * then mean different ones. Inside of a payload that is the publisher's affair.
 */
export function readJsonObject(body: Uint8Array): { ok: true; json: JsonObject } | Refusal {
	const parsed = readJson(body);
	if (!parsed.ok) return parsed;
	const { text, value } = parsed;
	if (!isObject(value)) return refuse(400, "invalid_payload", "The body must be a JSON object.");
	return refuseStructure(text) ?? { ok: true, json: { text, value } };
}

/** A request that is to bring a JSON object; refuses as the two above do. */
export function readJsonRequest(sent: Sent): ReturnType<typeof readJsonObject> {
	return refuseUnlessJson(sent) ?? readJsonObject(sent.body);
}

/** An object and not an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at the end of `path`; undefined when there is none. */
export function valueAt({ value }: Pick<JsonObject, "value">, ...path: string[]): unknown {
	let at: unknown = value;
	for (const name of path) {
		if (!isObject(at) || !Object.hasOwn(at, name)) return undefined;
		at = at[name];
	}
	return at;
}

/**
 * The text or number at the end of `path` as the text of an attribute, with all the digits the publisher wrote;
 * undefined when there is none, or none that can be an attribute.
 */
export function textAt(json: JsonObject, ...path: string[]): string | undefined {
	return usableText(scalarAt(json, path));
}

/** The same as the id of an event, which a text that can be no attribute still tells apart; undefined when empty. */
export function idAt(json: JsonObject, ...path: string[]): string | undefined {
	return idFrom(scalarAt(json, path));
}

/** The text or number at the end of `path`, whatever an attribute may hold; undefined for anything else. */
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
