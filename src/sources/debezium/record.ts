/**
 * Converts one record of Debezium's JSON format to an event: the envelope `{before, after, op, source, …}` of a change,
 * or the result of a transformation. Pure.
 */
import type { Attributes, CloudEvent } from "../../events/event.ts";
import { memberTexts } from "../../events/json/text.ts";
import { sourcePath } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, isObject, textAt, valueAt } from "../reading/json-body.ts";
import { flatRowEvent } from "./flat-row.ts";
import { OTHER_TYPE, POSITION, type RecordContext, changeType, subjectOf, timeFromMs } from "./naming.ts";
import { outboxEvent } from "./outbox.ts";

const ROW_MEMBERS = ["op", "before", "after", "updateDescription", "message"];

/** Returns null for a record without content: a heartbeat, or a tombstone after a delete. */
export function readRecord(record: JsonObject, context: RecordContext): CloudEvent | null {
	const change = withoutSchema(record);
	// An application can put everything into the type of its event, without a payload. A tombstone has no id.
	if (change === null) return outboxEvent("null", context);
	if (isHeartbeat(change)) return null;
	if (isObject(change.value["source"])) return changeEvent(change, context);
	return (
		outboxEvent(payloadText(record), context) ?? flatRowEvent(change, context) ?? changeEvent(change, context)
	);
}

/** Returns the payload in the `{schema, payload}` of Kafka's JSON converter; null for a tombstone. */
export function withoutSchema(record: JsonObject): JsonObject | null {
	if (!isWrapped(record.value)) return record;
	const { payload } = record.value;
	if (payload === null) return null;
	const text = memberTexts(record.text).get("payload") ?? "";
	return isObject(payload) ? { text, value: payload } : record;
}

/** The same for a payload that can be any JSON. */
function payloadText({ text, value }: JsonObject): string {
	return isWrapped(value) ? (memberTexts(text).get("payload") ?? text) : text;
}

function isWrapped(value: JsonObject["value"]): boolean {
	return Object.keys(value).length === 2 && Object.hasOwn(value, "schema") && Object.hasOwn(value, "payload");
}

/** The message of `heartbeat.interval.ms`: only a time. */
function isHeartbeat({ value }: JsonObject): boolean {
	return Object.keys(value).join() === "ts_ms";
}

function changeEvent(change: JsonObject, { sourceName, primaryKey, now, place }: RecordContext): CloudEvent {
	const table = textAt(change, "source", "table") ?? textAt(change, "source", "collection");
	const namespace = textAt(change, "source", "schema") ?? textAt(change, "source", "db");
	const connector = textAt(change, "source", "connector");
	const server = textAt(change, "source", "name");
	const subject = subjectOf(table, change, primaryKey);
	const attributes: Attributes = {
		id: changeId(change, place),
		source: sourcePath("debezium", connector ?? sourceName, ...(server === undefined ? [] : [server])),
		type: changeType(namespace, table, textAt(change, "op")) ?? OTHER_TYPE,
		...(subject !== undefined && { subject }),
		time: timeFromMs(valueAt(change, "source", "ts_ms")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { attributes, data: { kind: "json", text: change.text } };
}

/** Without a position in the log, two records with equal content can be different, so the id includes the request. */
function changeId(change: JsonObject, place: string): string {
	const { source, op, ts_ms: time } = change.value;
	if (!isObject(source))
		return time === undefined ? contentHash(place, change.text) : contentHash(change.text);
	if (op === undefined) return contentHash(change.text);
	const members = memberTexts(change.text);
	const sourceMembers = memberTexts(members.get("source") ?? "{}");
	return contentHash(
		...["name", "db", "schema", "table", "collection", ...POSITION].map(
			(name) => sourceMembers.get(name) ?? "",
		),
		...ROW_MEMBERS.map((name) => members.get(name) ?? ""),
	);
}
