/** Bodies of HTML forms (application/x-www-form-urlencoded), decoded to the letter: what is no UTF-8 is refused. */
import { parseMediaType } from "../../events/cloudevents/media-type.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";

export function isForm(headers: Headers): boolean {
	return parseMediaType(headers.get("content-type")).essence === "application/x-www-form-urlencoded";
}

/** A name and its value, in the order of the form. */
export type FormField = [name: string, value: string];

/** The fields by name; of fields with the same name the first counts. Refuses with 400 `invalid_form`. */
export function readForm(
	body: Uint8Array,
): { ok: true; text: string; fields: Map<string, string> } | Refusal {
	const read = readFields(body);
	if (!read.ok) return read;
	const fields = new Map<string, string>();
	for (const [name, value] of read.fields) if (!fields.has(name)) fields.set(name, value);
	return { ok: true, text: read.text, fields };
}

/** Every field. Refuses with 400 `invalid_form`. */
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
		return refuse(400, "invalid_form", "The form is not valid UTF-8, or badly percent-encoded.");
	}
}

/** A JSON object of the fields, in their order; what stands there several times is a list. */
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

/** Plus signs are spaces, the rest is percent-encoded UTF-8. Throws `URIError` or `TypeError` on anything else. */
function decodeFormText(text: string): string {
	return decodeURIComponent(text.replaceAll("+", " "));
}
