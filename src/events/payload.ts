/**
 * Converts bytes to `EventData` by content type. JSON is validated and kept as its exact text, UTF-8 text stays text,
 * and everything else becomes base64.
 */
import type { EventData } from "./event.ts";
import { type ParsedJson, parseJson } from "./json/parse.ts";
import { isJson, isLatin, isText, isUtf8, parseMediaType } from "./cloudevents/media-type.ts";
import { type Refusal, refuse } from "../http/refusal.ts";

export type Payload = { ok: true; data: EventData | null } | Refusal;

/**
 * Returns null data for an empty body. Refuses invalid JSON with 400 `invalid_json`, and JSON in Latin-1 and similar
 * charsets with 415, because some of it would decode to other letters as UTF-8.
 */
export function readPayload(body: Uint8Array, contentType: string | null): Payload {
	if (body.byteLength === 0) return { ok: true, data: null };
	const mediaType = parseMediaType(contentType);
	if (isJson(mediaType)) {
		if (isLatin(mediaType.charset) && !isUtf8(mediaType, body)) {
			return refuse(415, "unsupported_media_type", "JSON must be encoded in UTF-8.");
		}
		const json = readJson(body);
		return json.ok ? { ok: true, data: { kind: "json", text: json.text } } : json;
	}
	const text = isText(mediaType) && isUtf8(mediaType, body) ? decodeUtf8(body) : null;
	return { ok: true, data: text === null ? toBinary(body) : { kind: "text", text } };
}

/** Returns the likely type of a body without a content type: JSON if it parses, else text, else binary. */
export function guessContentType(body: Uint8Array): string {
	const text = decodeUtf8(body);
	if (text === null) return "application/octet-stream";
	return parseJson(text).ok ? "application/json" : "text/plain";
}

/** Parses bytes as UTF-8 JSON. `value` is the parsed value, `text` the exact text. Refuses with 400 `invalid_json`. */
export function readJson(body: Uint8Array): { ok: true; text: string; value: unknown } | Refusal {
	const text = decodeUtf8(body);
	if (text === null) return refuse(400, "invalid_json", "The body is not valid UTF-8.");
	// RFC 8259, section 8.1: a byte order mark may be ignored. It is removed because later parsers would reject it.
	const json = text.startsWith("\uFEFF") ? text.slice(1) : text;
	const parsed = parseJson(json);
	return parsed.ok ? { ok: true, text: json, value: parsed.value } : refuseJson(json, parsed);
}

function refuseJson(text: string, { position }: Extract<ParsedJson, { ok: false }>): Refusal {
	if (text.trim() === "") return refuse(400, "invalid_json", "The body is empty. JSON is expected.");
	const where = position >= text.length ? "it ends unexpectedly" : `unexpected text at character ${position}`;
	return refuse(400, "invalid_json", `The body is not valid JSON: ${where}.`);
}

/** Keeps the byte order mark: content that is not JSON is kept byte for byte. */
const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeUtf8(bytes: Uint8Array): string | null {
	try {
		return strictUtf8.decode(bytes);
	} catch {
		return null;
	}
}

function toBinary(body: Uint8Array): EventData {
	const base64 = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("base64");
	return { kind: "binary", base64 };
}
