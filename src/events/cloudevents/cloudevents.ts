/**
 * CloudEvents 1.0 over HTTP (HTTP binding and JSON format 1.0.2): converts binary, structured and batched
 * requests to events, and events to binary and structured requests. The JSON text of `data` stays unchanged in both
 * directions.
 */
import { checkAttributes } from "./attributes.ts";
import { type CloudEvent, type EventData, MAX_BATCH_EVENTS } from "../event.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./header-value.ts";
import { refuseStructure } from "../json/structure.ts";
import { elementTexts, memberTexts } from "../json/text.ts";
import { isJson, isUtf8, parseMediaType } from "./media-type.ts";
import { readJson, readPayload } from "../payload.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";

export const STRUCTURED_TYPE = "application/cloudevents+json";
export const BATCH_TYPE = "application/cloudevents-batch+json";

const ACCEPTED = `Send ${STRUCTURED_TYPE}, ${BATCH_TYPE}, or binary mode with ce-id, ce-source, ce-type and ce-specversion headers.`;
const REQUIRED_HEADERS = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

export type Decoded = { ok: true; events: CloudEvent[]; batch: boolean } | Refusal;

/** Reads a request in any of the three modes. One invalid event refuses the whole batch. */
export function decodeCloudEvents(headers: Headers, body: Uint8Array): Decoded {
	const mediaType = parseMediaType(headers.get("content-type"));
	const { essence } = mediaType;
	if (essence === BATCH_TYPE || essence === STRUCTURED_TYPE) {
		if (!isUtf8(mediaType, body))
			return refuse(415, "unsupported_media_type", "CloudEvents in JSON must be encoded in UTF-8.");
		return decodeJson(body, essence === BATCH_TYPE);
	}
	const isFormat = essence.startsWith("application/cloudevents");
	if (isFormat || !REQUIRED_HEADERS.some((name) => headers.has(name))) {
		return refuse(415, "unsupported_media_type", `This is not a CloudEvent. ${ACCEPTED}`);
	}
	return decodeBinary(headers, body);
}

function decodeBinary(headers: Headers, body: Uint8Array): Decoded {
	const raw: [string, unknown][] = [];
	for (const [header, value] of headers) {
		const name = header.toLowerCase();
		// Content-Type is this attribute; ce-datacontenttype could only contradict it.
		if (!name.startsWith("ce-") || name === "ce-datacontenttype") continue;
		const attribute = name.slice("ce-".length);
		const decoded = decodeHeaderValue(value);
		if (decoded === null) return invalid(`"${attribute}" must be UTF-8, percent-encoded.`, attribute);
		raw.push([attribute, decoded]);
	}
	const contentType = headers.get("content-type");
	raw.push(["datacontenttype", contentType]);
	const checked = checkAttributes(raw);
	if (!checked.ok) return checked;
	const payload = readPayload(body, contentType);
	if (!payload.ok) return payload;
	const wrong = payload.data?.kind === "json" ? refuseStructure(payload.data.text) : null;
	if (wrong !== null) return wrong;
	return { ok: true, events: [{ attributes: checked.attributes, data: payload.data }], batch: false };
}

function decodeJson(body: Uint8Array, isBatch: boolean): Decoded {
	const json = readJson(body);
	if (!json.ok) return json;
	// Debezium sends its batches under the content type of single events.
	if (Array.isArray(json.value)) return decodeBatch(json.value, json.text);
	if (isBatch) return invalid("A batch must be a JSON array of CloudEvents.");
	const event = decodeObject(json.value, json.text, "");
	return event.ok ? { ok: true, events: [event.event], batch: false } : event;
}

function decodeBatch(values: readonly unknown[], text: string): Decoded {
	if (values.length === 0) return invalid("The batch contains no events.");
	if (values.length > MAX_BATCH_EVENTS) {
		return refuse(
			413,
			"too_many_events",
			`A batch may contain at most ${MAX_BATCH_EVENTS} events, but has ${values.length}.`,
		);
	}
	const texts = elementTexts(text);
	const events: CloudEvent[] = [];
	for (const [index, value] of values.entries()) {
		const event = decodeObject(value, texts[index] ?? "", `[${index}]`);
		if (!event.ok) return event;
		events.push(event.event);
	}
	return { ok: true, events, batch: true };
}

/** Reads an event in the JSON format. `text` is the JSON of `value`, `at` its position in the request. */
function decodeObject(value: unknown, text: string, at: string): { ok: true; event: CloudEvent } | Refusal {
	if (typeof value !== "object" || value === null || Array.isArray(value)) {
		return at === ""
			? invalid("A CloudEvent must be a JSON object.")
			: invalid(`"${at}" must be a JSON object.`, at);
	}
	const wrong = refuseStructure(text);
	if (wrong !== null) return wrong;
	const { data, data_base64: base64, ...raw } = value as Record<string, unknown>;
	const checked = checkAttributes(Object.entries(raw), at);
	if (!checked.ok) return checked;
	const { attributes } = checked;
	if (base64 !== undefined && base64 !== null) {
		const path = at === "" ? "data_base64" : `${at}.data_base64`;
		if (data !== undefined) return invalid(`"${path}" must not be combined with "data".`, path);
		if (!isBase64(base64)) return invalid(`"${path}" must be a base64 string.`, path);
		return { ok: true, event: { attributes, data: { kind: "binary", base64 } } };
	}
	if (data === undefined) return { ok: true, event: { attributes, data: null } };
	const { datacontenttype } = attributes;
	const isJsonData = datacontenttype === undefined || isJson(parseMediaType(datacontenttype));
	if (typeof data === "string" && !isJsonData) {
		return { ok: true, event: { attributes, data: { kind: "text", text: data } } };
	}
	const dataText = memberTexts(text).get("data") ?? "null";
	return { ok: true, event: { attributes, data: { kind: "json", text: dataText } } };
}

function isBase64(value: unknown): value is string {
	return typeof value === "string" && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value);
}

function invalid(message: string, path?: string): Refusal {
	return refuse(400, "invalid_cloudevent", message, path);
}

/** Returns the event in the JSON format, for `application/cloudevents+json`. */
export function encodeStructured({ attributes, data }: CloudEvent): string {
	const head = JSON.stringify({ specversion: "1.0", ...attributes });
	return data === null ? head : `${head.slice(0, -1)},${dataMember(data)}}`;
}

function dataMember(data: EventData): string {
	switch (data.kind) {
		case "json":
			return `"data":${data.text}`;
		case "text":
			return `"data":${JSON.stringify(data.text)}`;
		case "binary":
			return `"data_base64":"${data.base64}"`;
	}
}

export interface BinaryRequest {
	/** Lower-case names. */
	headers: Record<string, string>;
	/** Empty bytes if the event has no data; with an empty string, fetch would add a content type. */
	body: string | Uint8Array<ArrayBuffer>;
}

/** Returns the event in binary mode: attributes as `ce-` headers, the payload as the body. */
export function encodeBinary({ attributes, data }: CloudEvent): BinaryRequest {
	const { datacontenttype, ...rest } = attributes;
	const headers: Record<string, string> = { "ce-specversion": "1.0" };
	for (const [name, value] of Object.entries(rest)) {
		if (value !== undefined) headers[`ce-${name}`] = encodeHeaderValue(String(value));
	}
	// In the JSON format, data without datacontenttype is JSON; in binary mode the content type must be explicit.
	const contentType = datacontenttype ?? (data?.kind === "json" ? "application/json" : undefined);
	if (contentType !== undefined) headers["content-type"] = contentType;
	return { headers, body: bodyOf(data) };
}

function bodyOf(data: EventData | null): string | Uint8Array<ArrayBuffer> {
	if (data === null) return new Uint8Array();
	return data.kind === "binary" ? Buffer.from(data.base64, "base64") : data.text;
}
