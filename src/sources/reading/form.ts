/** Bodies of HTML forms (application/x-www-form-urlencoded), decoded to the letter: what is no UTF-8 is refused. */
import { parseMediaType } from "../../events/cloudevents/media-type.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";

export function isForm(headers: Headers): boolean {
	return parseMediaType(headers.get("content-type")).essence === "application/x-www-form-urlencoded";
}

/** The fields by name; of fields with the same name the first counts. Refuses with 400 `invalid_form`. */
export function readForm(
	body: Uint8Array,
): { ok: true; text: string; fields: Map<string, string> } | Refusal {
	const fields = new Map<string, string>();
	try {
		const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
		for (const pair of text.split("&")) {
			const [name = "", ...value] = pair.split("=").map(decodeFormText);
			if (!fields.has(name)) fields.set(name, value.join("="));
		}
		return { ok: true, text, fields };
	} catch {
		return refuse(400, "invalid_form", "The form is not valid UTF-8, or badly percent-encoded.");
	}
}

/** Plus signs are spaces, the rest is percent-encoded UTF-8. Throws `URIError` or `TypeError` on anything else. */
function decodeFormText(text: string): string {
	return decodeURIComponent(text.replaceAll("+", " "));
}
