/**
 * The bodies that `POST /v1/events` accepts: CloudEvents in any HTTP mode, or one event as a plain
 * JSON object whose fields have the meaning that CloudEvents gives them. Decoding only; the route
 * passes the events on.
 */
import * as z from "zod";
import { checkAttributes } from "../../events/cloudevents/attributes.ts";
import { decodeCloudEvents } from "../../events/cloudevents/cloudevents.ts";
import type { CloudEvent, EventData } from "../../events/event.ts";
import { memberTexts } from "../../events/json/text.ts";
import { isJson, parseMediaType } from "../../events/cloudevents/media-type.ts";
import { type Refusal, toProblem } from "../../http/refusal.ts";
import { traceOfHeaders } from "../../events/cloudevents/trace-context.ts";
import { readIdempotencyKey } from "../../sources/reading/publisher-id.ts";
import { checkFields, decodeJson, invalidRequest, readBytes } from "../http/body.ts";

const DEFAULT_SOURCE = "/sources/api";
const NO_LIST =
	"must be an object; send a list of CloudEvents with content-type: application/cloudevents-batch+json";

/**
 * The rules for attributes check the values, because they are stricter than a type.
 */
export const plainEventSchema = z.strictObject({
	specversion: z
		.never("leave it out here; send a whole CloudEvent with content-type: application/cloudevents+json")
		.optional(),
	type: z.string().describe("The type of the event, such as document.created."),
	source: z.string().optional().describe("Where it happened, as a URI reference."),
	subject: z.string().optional().describe("What it is about within the source."),
	id: z.string().optional().describe("Identifies the event within its source."),
	time: z.string().optional().describe("When it happened, in RFC 3339."),
	datacontenttype: z.string().optional().describe("The media type of the data."),
	dataschema: z.string().optional().describe("The URI of the data's schema."),
	data: z.unknown().optional().describe("The payload: any JSON."),
});

/** Defaults for attributes that a publisher may omit. */
export interface Defaults {
	freshId: string;
	/** RFC 3339. */
	time: string;
}

/** `batch`: whether the response must be a list. Throws the `Problem` that refuses the request. */
export async function readPublished(
	request: Request,
	defaults: Defaults,
): Promise<{ events: CloudEvent[]; batch: boolean }> {
	const body = await readBytes(request);
	if (!isCloudEvents(request.headers))
		return { events: [decodePlain(request, body, defaults)], batch: false };
	const decoded = decodeCloudEvents(request.headers, body);
	if (!decoded.ok) throw toProblem(decoded);
	return decoded;
}

/**
 * Recognised by the content type in structured and batch mode, and in binary mode by any of the
 * required attributes.
 */
function isCloudEvents(headers: Headers): boolean {
	const { essence } = parseMediaType(headers.get("content-type"));
	return (
		essence.startsWith("application/cloudevents") ||
		["ce-specversion", "ce-id", "ce-source", "ce-type"].some((name) => headers.has(name))
	);
}

function decodePlain(request: Request, body: Uint8Array, { freshId, time }: Defaults): CloudEvent {
	const { value, text } = decodeJson(request, body);
	if (Array.isArray(value)) throw invalidRequest([{ path: "", message: NO_LIST }]);
	const fields = checkFields(value, plainEventSchema);
	const key =
		fields.id === undefined ? readIdempotencyKey(request.headers) : ({ ok: true, id: fields.id } as const);
	if (!key.ok) throw toProblem(key);
	const defaults = { freshId: key.id ?? freshId, time };
	const made = plainEventOf(fields, text, defaults, traceOfHeaders(request.headers));
	if (!made.ok) throw toProblem(made);
	return made.event;
}

/**
 * Converts such an object to an event; `text` is its JSON, so that the data keeps its spelling.
 */
export function plainEventOf(
	{ data, ...fields }: z.output<typeof plainEventSchema>,
	text: string,
	{ freshId, time }: Defaults,
	trace: ReturnType<typeof traceOfHeaders> = {},
): { ok: true; event: CloudEvent } | Refusal {
	const checked = checkAttributes(
		Object.entries({
			...trace,
			...fields,
			specversion: "1.0",
			id: fields.id ?? freshId,
			source: fields.source ?? DEFAULT_SOURCE,
			time: fields.time ?? time,
		}),
	);
	if (!checked.ok) return checked;
	const { attributes } = checked;
	return { ok: true, event: { attributes, data: dataOf(data, text, fields.datacontenttype) } };
}

/** As in the JSON format of CloudEvents: a string is text if the content type is not JSON. */
function dataOf(data: unknown, text: string, contentType: string | undefined): EventData | null {
	if (data === undefined) return null;
	const isText =
		typeof data === "string" && contentType !== undefined && !isJson(parseMediaType(contentType));
	if (isText) return { kind: "text", text: data };
	return { kind: "json", text: memberTexts(text).get("data") ?? "null" };
}
