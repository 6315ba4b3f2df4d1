/**
 * Replaces a record that exceeds the event size limit with an event that has its key, so that the row can be fetched. A
 * refusal would stop the capture. Pure.
 */
import { MAX_EVENT_BYTES, type CloudEvent } from "../../events/event.ts";
import { memberTexts } from "../../events/json/text.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, isObject, textAt } from "../reading/json-body.ts";
import type { Wanted } from "../reading/large/abridger.ts";
import type { AbridgedRecord } from "../reading/large/cutter.ts";
import { verbOf } from "./naming.ts";
import { withoutSchema } from "./record.ts";

export const TOO_LARGE_TYPE = "debezium.record.too_large";

/** The wrappers that Kafka's JSON converter and CloudEvents put around a change. */
const WRAPPERS = ["payload", "data"];
const ROWS = ["before", "after"];
/** Members of an envelope that differ whenever the change is read again, or that locate it. */
const NO_ROW = ["source", "op", "transaction", "ts_ms", "ts_us", "ts_ns", "schema"];
/** The members of a CloudEvent itself. */
const ATTRIBUTES = [
	"specversion",
	"id",
	"source",
	"type",
	"subject",
	"time",
	"datacontenttype",
	"dataschema",
];

/** What is kept of such a record: names and positions, but no content. */
export function wantedOf(primaryKey: string): Wanted {
	return {
		keeps(path) {
			const [first = "", second, ...deeper] = unwrapped(path);
			if (second === undefined) return isAbout(first) || first === primaryKey || ATTRIBUTES.includes(first);
			if (deeper.length > 0) return false;
			return first === "source" || (ROWS.includes(first) && second === primaryKey);
		},
		enters(path) {
			const [first, ...deeper] = unwrapped(path);
			if (first === undefined) return true;
			return deeper.length === 0 && (ROWS.includes(first) || first === "source" || first === "schema");
		},
		hashes(path) {
			const [first, ...deeper] = unwrapped(path);
			if (first === undefined || deeper.length > 0) return false;
			return !isAbout(first) && !NO_ROW.includes(first) && !ATTRIBUTES.includes(first);
		},
	};
}

/** Whether the member says what was done, or where and when. */
function isAbout(name: string): boolean {
	return name.startsWith("__") || name.startsWith("iodebezium") || name === "op" || name === "ts_ms";
}

function unwrapped(path: readonly string[]): readonly string[] {
	const at = path.findIndex((name) => !WRAPPERS.includes(name));
	return at === -1 ? [] : path.slice(at);
}

/** `event`: the event that the readers made from the abridged record. */
export function tooLargeEvent(
	event: CloudEvent,
	record: JsonObject,
	{ size, hash }: AbridgedRecord,
	primaryKey: string,
): CloudEvent {
	const { id, type, source, subject, time } = event.attributes;
	const change = changeOf(record);
	const table = textAt(change, "source", "table") ?? textAt(change, "source", "collection");
	const schema = textAt(change, "source", "schema") ?? textAt(change, "source", "db");
	const op = textAt(change, "op") ?? textAt(record, "__op") ?? textAt(record, "iodebeziumop");
	const key =
		textAt(change, "after", primaryKey) ?? textAt(change, "before", primaryKey) ?? textAt(change, primaryKey);
	const data = {
		type,
		schema: schema ?? textAt(record, "__schema") ?? textAt(record, "iodebeziumschema") ?? null,
		table: table ?? textAt(change, "__table") ?? textAt(record, "iodebeziumtable") ?? null,
		operation: verbOf(op) ?? null,
		key: key ?? null,
		size,
		max_size: MAX_EVENT_BYTES,
	};
	return {
		attributes: {
			id: contentHash(TOO_LARGE_TYPE, id, hash),
			source,
			type: TOO_LARGE_TYPE,
			...(subject !== undefined && { subject }),
			...(time !== undefined && { time }),
			datacontenttype: "application/json",
		},
		data: { kind: "json", text: JSON.stringify(data) },
	};
}

/** Returns the envelope or the row, without the wrappers around it. */
function changeOf(record: JsonObject): JsonObject {
	const data = record.value["data"];
	const isInside = Object.hasOwn(record.value, "specversion") && isObject(data);
	const inner = isInside ? { text: memberTexts(record.text).get("data") ?? "{}", value: data } : record;
	return withoutSchema(inner) ?? inner;
}
