/** Reads the body of any webhook as the data of an event, according to its content type. */
import { isJson, isMediaType, parseMediaType } from "../../events/cloudevents/media-type.ts";
import { type EventData, MAX_EVENT_BYTES } from "../../events/event.ts";
import { refuseStructure } from "../../events/json/structure.ts";
import { guessContentType, readJson, readPayload } from "../../events/payload.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { fieldsToJson, isForm, readFields, refuseJsonAsForm } from "../reading/form.ts";

type Body = { ok: true; contentType: string | null; data: EventData | null } | Refusal;

/** `form`: how to convert a form. Refuses bodies that are invalid for their content type, or too large. */
export function readRequest(headers: Headers, body: Uint8Array, form: "text" | "json"): Body {
	const wrong = refuseJsonAsForm(headers, body);
	if (wrong !== null) return wrong;
	return form === "json" && isForm(headers) ? readForm(body) : readBody(headers, body);
}

function readBody(headers: Headers, body: Uint8Array): Body {
	const contentType = contentTypeOf(headers, body);
	if (body.byteLength === 0 && isJson(parseMediaType(contentType))) {
		const empty = readJson(body);
		if (!empty.ok) return empty;
	}
	const payload = readPayload(body, contentType);
	if (!payload.ok) return payload;
	const wrong = payload.data?.kind === "json" ? refuseStructure(payload.data.text) : null;
	return wrong ?? { ...payload, contentType };
}

/** Returns the fields as JSON, which can be longer than the form. Refuses with 413 if it is too long. */
function readForm(body: Uint8Array): Body {
	const form = readFields(body);
	if (!form.ok) return form;
	const text = fieldsToJson(form.fields);
	if (Buffer.byteLength(text) > MAX_EVENT_BYTES) {
		const limit = `${MAX_EVENT_BYTES} bytes`;
		return refuse(413, "body_too_large", `The form, converted to JSON, exceeds ${limit}.`);
	}
	return { ok: true, contentType: "application/json", data: { kind: "json", text } };
}

/** Returns null only for an empty body without a content type. */
function contentTypeOf(headers: Headers, body: Uint8Array): string | null {
	const given = headers.get("content-type");
	if (given !== null && isMediaType(given)) return given;
	return body.byteLength === 0 ? null : guessContentType(body);
}
