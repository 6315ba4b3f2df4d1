/**
 * The headers of a Kafka record, as Debezium Server's HTTP sink puts them on the request of that one record:
 * `x-debezium-{name}`, its value as JSON, within its schema or bare, and that in base64 unless
 * `debezium.sink.http.headers.encode.base64` is false. No signature covers them. Pure.
 */
import { isExactHeader } from "../../events/cloudevents/header-value.ts";
import { parseJson } from "../../events/json/parse.ts";
import { isObject, scalarTextAt } from "../reading/json-body.ts";

const PREFIX = "x-debezium-";

/** The value of a header by the name it has in Kafka, without regard to case: a text, or the digits of a number. */
export type RecordHeaders = (name: string) => string | undefined;

/** For records that come in a list, which share the headers of one request. */
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
		// As if it stood within its schema: so a number keeps its digits.
		return scalarTextAt({ text: `{"payload":${text}}`, value: { payload: inner } }, "payload");
	}
	return value;
}

/** null unless `value` is the base64 of a text in UTF-8. */
function decodeBase64(value: string): string | null {
	const bytes = Buffer.from(value, "base64");
	if (bytes.toString("base64") !== value) return null;
	const text = bytes.toString();
	return Buffer.from(text).equals(bytes) ? text : null;
}
