/** Bodies of HTML forms (application/x-www-form-urlencoded), decoded strictly: invalid UTF-8 is refused. */
import { parseMediaType } from "../../events/cloudevents/media-type.ts";
import { readJson } from "../../events/payload.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";

export function isForm(headers: Headers): boolean {
	return parseMediaType(headers.get("content-type")).essence === "application/x-www-form-urlencoded";
}

/**
 * Refuses JSON labelled as a form with 415, which is what curl sends with `-d`: it would become a text, or one field
 * with a strange name. A real form is percent-encoded and so never JSON. Checks only lists and objects: `1` may be a
 * field.
 */
export function refuseJsonAsForm(headers: Headers, body: Uint8Array): Refusal | null {
	if (!isForm(headers) || !BRACKETS.has(body.find((byte) => !SPACES.has(byte)) ?? 0)) return null;
	if (!readJson(body).ok) return null;
	return refuse(
		415,
		"unsupported_media_type",
		"The body is JSON, but its content type is that of a form. Send the header content-type: application/json (curl -d sends a form unless you set the header with -H).",
	);
}

const BRACKETS = new Set(Buffer.from("[{"));
const SPACES = new Set(Buffer.from(" \t\r\n"));

/** A name and its value. */
export type FormField = [name: string, value: string];

/** Returns the fields by name, the first one for each name. Refuses with 400 `invalid_form`. */
export function readForm(
	body: Uint8Array,
): { ok: true; text: string; fields: Map<string, string> } | Refusal {
	const read = readFields(body);
	if (!read.ok) return read;
	const fields = new Map<string, string>();
	for (const [name, value] of read.fields) if (!fields.has(name)) fields.set(name, value);
	return { ok: true, text: read.text, fields };
}

/** Returns all fields in order. Refuses with 400 `invalid_form`. */
export function readFields(body: Uint8Array): { ok: true; text: string; fields: FormField[] } | Refusal {
	try {
		const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
		const fields = text
			.split("&")
			.filter((pair) => pair !== "")
			.map((pair): FormField => {
				const [name = "", ...value] = pair.split("=").map(decodeFormText);
				return [name, value.join("=")];
			});
		return { ok: true, text, fields };
	} catch {
		return refuse(400, "invalid_form", "The form is not valid UTF-8, or its percent-encoding is invalid.");
	}
}

/** Returns a JSON object of the fields, in order. Repeated fields become a list. */
export function fieldsToJson(fields: readonly FormField[]): string {
	const byName = new Map<string, string[]>();
	for (const [name, value] of fields) {
		const values = byName.get(name);
		if (values === undefined) byName.set(name, [value]);
		else values.push(value);
	}
	const members = [...byName].map(([name, values]) => {
		const [only] = values;
		return `${JSON.stringify(name)}:${JSON.stringify(values.length === 1 ? only : values)}`;
	});
	return `{${members.join(",")}}`;
}

/** Decodes plus signs as spaces and percent-encoded UTF-8. Throws `URIError` or `TypeError` on invalid input. */
function decodeFormText(text: string): string {
	return decodeURIComponent(text.replaceAll("+", " "));
}
