/**
 * Reads the headers of a Kafka record, which Debezium Server's HTTP sink adds to the request of a single record:
 * `x-debezium-{name}`. The value is JSON, with or without its schema, and in base64 unless
 * `debezium.sink.http.headers.encode.base64` is false. No signature covers them. Pure.
 */
import { isExactHeader } from "../../events/cloudevents/header-value.ts";
import { parseJson } from "../../events/json/parse.ts";
import { isObject, scalarTextAt } from "../reading/json-body.ts";

const PREFIX = "x-debezium-";

/** Returns the value of a header by its name in Kafka, ignoring case: a text, or the digits of a number. */
export type RecordHeaders = (name: string) => string | undefined;

/** For records in a list, which share the headers of one request. */
export const NO_HEADERS: RecordHeaders = () => undefined;

export function recordHeaders(headers: Headers): RecordHeaders {
	return (name) => {
		const value = headers.get(`${PREFIX}${name}`);
		return value === null || value === "" || !isExactHeader(value) ? undefined : readValue(value);
	};
}

function readValue(value: string): string | undefined {
	for (const text of [decodeBase64(value), value]) {
		const parsed = text === null ? null : parseJson(text);
		if (text === null || parsed === null || !parsed.ok) continue;
		const { value: inner } = parsed;
		if (isObject(inner) && Object.hasOwn(inner, "payload"))
			return scalarTextAt({ text, value: inner }, "payload");
		// Wrapped as if in its schema, so that a number keeps its digits.
		return scalarTextAt({ text: `{"payload":${text}}`, value: { payload: inner } }, "payload");
	}
	return value;
}

/** Returns null unless `value` is a UTF-8 text in base64. */
function decodeBase64(value: string): string | null {
	const bytes = Buffer.from(value, "base64");
	if (bytes.toString("base64") !== value) return null;
	const text = bytes.toString();
	return Buffer.from(text).equals(bytes) ? text : null;
}
