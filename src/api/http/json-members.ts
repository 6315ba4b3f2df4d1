/**
 * Payloads in responses: JSON is returned as its original text, so that numbers keep their
 * digits.
 */
import type { EventData } from "../../events/event.ts";

/**
 * The JSON text of a payload: the publisher's or model's own, or a string with the text or the
 * base64.
 */
export function jsonTextOf(data: EventData): string {
	switch (data.kind) {
		case "json":
			return data.text;
		case "text":
			return JSON.stringify(data.text);
		case "binary":
			return JSON.stringify(data.base64);
	}
}

/** `object` as JSON with one more member, whose value is already JSON text. */
export function withMember(object: Record<string, unknown>, name: string, jsonText: string): string {
	const head = JSON.stringify(object).slice(0, -1);
	return `${head}${head === "{" ? "" : ","}${JSON.stringify(name)}:${jsonText}}`;
}
