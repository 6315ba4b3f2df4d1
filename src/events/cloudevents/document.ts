/**
 * How expressions see an event: as the JSON document of a structured CloudEvent, with `data` parsed. Payloads that
 * are passed on untouched never come from here.
 */
import type { CloudEvent, EventData } from "../event.ts";
import { parseWithRawNumbers } from "../json/parse.ts";

type ParseJson = (text: string) => unknown;

/**
 * For conditions: every number is a number, at the price of digits beyond 2^53. `{specversion, id, source, type,
 * …, data}`; `data` is a JSON value, a text, or `data_base64` for binary.
 */
export function documentOf(event: CloudEvent): Record<string, unknown> {
	return build(event, JSON.parse);
}

/** For transforms: the same, but integers beyond 2^53 keep their digits wherever the transform puts them. */
export function exactDocumentOf(event: CloudEvent): Record<string, unknown> {
	return build(event, parseWithRawNumbers);
}

/** The payload as a value for transforms: parsed JSON, a text, or base64. */
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
