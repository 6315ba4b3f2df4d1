/**
 * A stream of TGI: one token an event, and in the last one the whole text with its details, as a
 * response without a stream has them.
 */
import { errorIn, objectOf, payloadsOf } from "./event-stream.ts";
import type { ModelOutput } from "../exchange.ts";
import { describe } from "./reading.ts";

/** Returns the output, or what the stream says in its place; null: another stream than TGI's. */
export function lastOfStream(stream: string): { output: ModelOutput } | { error: string } | null {
	let document: Record<string, unknown> | null = null;
	let isOfTgi = false;
	for (const { event, text } of payloadsOf(stream)) {
		const chunk = objectOf(text);
		if (chunk === null) {
			if (event === "error") return { error: text };
			continue;
		}
		const error = errorIn(chunk, event);
		if (error !== null) return { error: describe(error) ?? "the stream ends in an error" };
		const { generated_text, details } = chunk;
		isOfTgi ||= "token" in chunk;
		if (typeof generated_text === "string")
			document = { generated_text, ...(details !== undefined && { details }) };
	}
	if (document === null) return isOfTgi ? { error: "the stream ended before the output was complete" } : null;
	const data = { kind: "json", text: JSON.stringify(document) } as const;
	return { output: { kind: "data", data, contentType: "application/json" } };
}
