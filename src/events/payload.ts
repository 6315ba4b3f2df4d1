/**
 * Bytes to `EventData`, by their content type. JSON is checked and kept as its exact text, text that is UTF-8 stays
 * text, and everything else travels as base64.
 */
import type { EventData } from "./event.ts";
import { type ParsedJson, parseJson } from "./json/parse.ts";
import { isJson, isLatin, isText, isUtf8, parseMediaType } from "./cloudevents/media-type.ts";
import { type Refusal, refuse } from "../http/refusal.ts";

export type Payload = { ok: true; data: EventData | null } | Refusal;

/**
 * An empty body is no data. Refuses with 400 `invalid_json` what claims to be JSON and is not, and with 415 JSON in
 * Latin-1 and the like, some of which would pass for other letters in UTF-8.
 */
export function readPayload(body: Uint8Array, contentType: string | null): Payload {
	if (body.byteLength === 0) return { ok: true, data: null };
	const mediaType = parseMediaType(contentType);
	if (isJson(mediaType)) {
		if (isLatin(mediaType.charset) && !isUtf8(mediaType, body)) {
			return refuse(415, "unsupported_media_type", "JSON is taken in UTF-8 only.");
		}
		const json = readJson(body);
		return json.ok ? { ok: true, data: { kind: "json", text: json.text } } : json;
	}
	const text = isText(mediaType) && isUtf8(mediaType, body) ? decodeUtf8(body) : null;
	return { ok: true, data: text === null ? toBinary(body) : { kind: "text", text } };
}

/** What a body without a content type most likely is: JSON if it parses, else text, else binary. */
export function guessContentType(body: Uint8Array): string {
	const text = decodeUtf8(body);
	if (text === null) return "application/octet-stream";
	return parseJson(text).ok ? "application/json" : "text/plain";
}

/** Checks that the bytes are JSON in UTF-8; `value` is what they mean, `text` how they say it. */
export function readJson(body: Uint8Array): { ok: true; text: string; value: unknown } | Refusal {
	const text = decodeUtf8(body);
	if (text === null) return refuse(400, "invalid_json", "The body is not valid UTF-8.");
	// RFC 8259, section 8.1: a byte order mark may be ignored; left in, no parser behind us would take the text.
	const json = text.startsWith("\uFEFF") ? text.slice(1) : text;
	const parsed = parseJson(json);
	return parsed.ok ? { ok: true, text: json, value: parsed.value } : refuseJson(json, parsed);
}

function refuseJson(text: string, { position }: Extract<ParsedJson, { ok: false }>): Refusal {
	if (text.trim() === "") return refuse(400, "invalid_json", "The body is empty where JSON is expected.");
	const where = position >= text.length ? "it ends too early" : `unexpected text at character ${position}`;
	return refuse(400, "invalid_json", `The body is not valid JSON: ${where}.`);
}

/** The byte order mark stays: what is no JSON is kept byte for byte. */
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
