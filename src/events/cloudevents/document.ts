/**
 * The input of expressions: the JSON document of a structured CloudEvent, with parsed `data`. Unmodified payloads are
 * never built from it.
 */
import type { CloudEvent, EventData } from "../event.ts";
import { parseWithRawNumbers } from "../json/parse.ts";

type ParseJson = (text: string) => unknown;

/**
 * For conditions: all numbers are JavaScript numbers and may lose digits beyond 2^53. `{specversion, id, source, type,
 * …, data}`; `data` is a JSON value, a text, or `data_base64` for binary.
 */
export function documentOf(event: CloudEvent): Record<string, unknown> {
	return build(event, JSON.parse);
}

/** For transforms: the same, but integers beyond 2^53 keep their digits when they are copied. */
export function exactDocumentOf(event: CloudEvent): Record<string, unknown> {
	return build(event, parseWithRawNumbers);
}

/** Returns the payload as a value for transforms: parsed JSON, a text, or base64. */
export function exactValueOf(data: EventData): unknown {
	return valueOf(data, parseWithRawNumbers);
}

function build({ attributes, data }: CloudEvent, parse: ParseJson): Record<string, unknown> {
	const document: Record<string, unknown> = { specversion: "1.0", ...attributes };
	if (data !== null) document[data.kind === "binary" ? "data_base64" : "data"] = valueOf(data, parse);
	return document;
}

function valueOf(data: EventData, parse: ParseJson): unknown {
	switch (data.kind) {
		case "json":
			return parse(data.text);
		case "text":
			return data.text;
		case "binary":
			return data.base64;
	}
}
