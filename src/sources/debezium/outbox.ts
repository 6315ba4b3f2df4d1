/**
 * Reads an application's event, taken from its outbox table by the transformation `EventRouter`. The body is only the
 * payload; its id comes in the header `id`, type and key in the headers that `table.fields.additional.placement`
 * names. https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html. Pure.
 */
import type { Attributes, CloudEvent } from "../../events/event.ts";
import { parseJson } from "../../events/json/parse.ts";
import { usableText } from "../reading/attribute-values.ts";
import { idFrom } from "../reading/publisher-id.ts";
import { serverPath } from "./flat-row.ts";
import { OTHER_TYPE, type RecordContext, rowSubject } from "./naming.ts";

/**
 * The headers of type and key: first the names in our set-up, then those of the columns, which the placement uses by
 * default.
 */
const TYPE_HEADERS = ["eventType", "type"];
const KEY_HEADERS = ["aggregateId", "aggregateid", "aggregate_id", "key"];
const AGGREGATE_HEADERS = ["aggregateType", "aggregatetype", "aggregate_type"];

/** Returns null unless the record has the id of an outbox event. `text` is any JSON. */
export function outboxEvent(text: string, context: RecordContext): CloudEvent | null {
	const { headers, now } = context;
	const id = idFrom(headers("id"));
	if (id === undefined) return null;
	const first = (names: readonly string[]) =>
		names.map((name) => usableText(headers(name))).find((value) => value !== undefined);
	const aggregate = first(AGGREGATE_HEADERS);
	const key = first(KEY_HEADERS);
	const subject = aggregate === undefined ? key : rowSubject(aggregate, key);
	const attributes: Attributes = {
		id,
		source: serverPath(context),
		type: first(TYPE_HEADERS) ?? OTHER_TYPE,
		...(subject !== undefined && { subject }),
		time: new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { attributes, data: { kind: "json", text: expanded(text) } };
}

/** Without `table.expand.json.payload`, the payload's JSON is sent as a string. */
function expanded(text: string): string {
	const outer = parseJson(text);
	if (!outer.ok || typeof outer.value !== "string") return text;
	const inner = parseJson(outer.value);
	return inner.ok && typeof inner.value === "object" && inner.value !== null ? outer.value : text;
}
