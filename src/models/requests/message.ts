/**
 * The body of a queue message: the event as structured CloudEvents JSON, or the transform's output;
 * a text is sent as it is.
 */
import { encodeStructured } from "../../events/cloudevents/cloudevents.ts";
import { parseJson } from "../../events/json/parse.ts";
import type { ModelInput } from "../protocol.ts";

export interface Message {
	kind: "json" | "text";
	text: string;
}

export function messageOf({ event, transformed }: ModelInput): Message {
	if (transformed === null) return { kind: "json", text: encodeStructured(event) };
	const parsed = transformed.startsWith('"') ? parseJson(transformed) : null;
	return parsed?.ok === true && typeof parsed.value === "string"
		? { kind: "text", text: parsed.value }
		: { kind: "json", text: transformed };
}
