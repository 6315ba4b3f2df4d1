/**
 * How expressions see an event: as the JSON document of a structured CloudEvent, with `data` parsed. Only for
 * looking: numbers beyond 2^53 lose digits here, which is why payloads that are passed on never come from it.
 */
import type { CloudEvent, EventData } from "./event.ts";

/** `{specversion, id, source, type, …, data}`; `data` is a JSON value, a text, or `data_base64` for binary. */
export function documentOf({ attributes, data }: CloudEvent): Record<string, unknown> {
	const document: Record<string, unknown> = { specversion: "1.0", ...attributes };
	if (data === null) return document;
	document[data.kind === "binary" ? "data_base64" : "data"] = valueOf(data);
	return document;
}

/** The payload as a value: parsed JSON, a text, or base64. */
export function valueOf(data: EventData): unknown {
	switch (data.kind) {
		case "json":
			return JSON.parse(data.text);
		case "text":
			return data.text;
		case "binary":
			return data.base64;
	}
}
