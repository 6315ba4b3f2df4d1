/**
 * One record of Debezium's JSON format as an event: the envelope `{before, after, op, source, …}` of a change. What
 * its CloudEvents format shares with it is here too. Pure.
 */
import type { Attributes, CloudEvent } from "../../events/event.ts";
import { memberTexts } from "../../events/json/text.ts";
import { sourcePath, usableText } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, isObject, textAt, valueAt } from "../reading/json-body.ts";

/** https://debezium.io/documentation/reference/stable/connectors/postgresql.html, "op". */
const VERBS: Readonly<Record<string, string>> = {
	c: "insert",
	u: "update",
	d: "delete",
	r: "read",
	t: "truncate",
};

/**
 * Members of `source` that place a change in the log of its database, for all of Debezium's connectors. Together
 * with the row they are the same whenever the change is read again; `sequence`, `snapshot`, `version` and the
 * times of reading are not.
 */
const POSITION = [
	"ts_ms",
	"lsn",
	"txId",
	"file",
	"pos",
	"row",
	"ord",
	"vgtid",
	"change_lsn",
	"commit_lsn",
	"event_serial_no",
	"scn",
	"commit_scn",
	"lcr_position",
	"rs_id",
	"ssn",
];
const ROW_MEMBERS = ["op", "before", "after", "updateDescription", "message"];

export interface RecordContext {
	/** For records that say nothing of where they come from. */
	sourceName: string;
	/** The column that names a row; a record's value does not say which it is. */
	primaryKey: string;
	/** ms since the epoch. */
	now: number;
	/** The id of the request and the record's place in it: of use where nothing else tells two records apart. */
	place: string;
}

/** null for a record without news: a heartbeat, or a tombstone behind a delete. */
export function readRecord(record: JsonObject, context: RecordContext): CloudEvent | null {
	const change = withoutSchema(record);
	return change === null || isHeartbeat(change) ? null : changeEvent(change, context);
}

/** What is inside of the `{schema, payload}` of Kafka's JSON converter; null when that is a tombstone. */
export function withoutSchema(record: JsonObject): JsonObject | null {
	const { schema, payload, ...rest } = record.value;
	if (schema === undefined || payload === undefined || Object.keys(rest).length > 0) return record;
	if (payload === null) return null;
	const text = memberTexts(record.text).get("payload") ?? "";
	return isObject(payload) ? { text, value: payload } : record;
}

/** `heartbeat.interval.ms`: only the time. */
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
		type: changeType(namespace, table, textAt(change, "op")) ?? "debezium.record",
		...(subject !== undefined && { subject }),
		time: timeFromMs(valueAt(change, "source", "ts_ms")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	return { attributes, data: { kind: "json", text: change.text } };
}

/** undefined for records that are no change of a row: transactions, schema changes, messages, flattened rows. */
export function changeType(
	namespace: string | undefined,
	table: string | undefined,
	op: string | undefined,
): string | undefined {
	const verb = op !== undefined && Object.hasOwn(VERBS, op) ? VERBS[op] : undefined;
	if (table === undefined || verb === undefined) return undefined;
	return usableText([...(namespace === undefined ? [] : [namespace]), table, verb].join("."));
}

/** The table and the key of the row after the change, or of the one that is gone; without a key the table. */
export function subjectOf(
	table: string | undefined,
	change: JsonObject,
	primaryKey: string,
): string | undefined {
	if (table === undefined) return undefined;
	const key = textAt(change, "after", primaryKey) ?? textAt(change, "before", primaryKey);
	return key === undefined ? table : (usableText(`${table}/${key}`) ?? table);
}

/** A flattened row says nothing of the log, and two changes can leave the same row: then the request counts. */
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

function timeFromMs(value: unknown): string | undefined {
	const isTime = typeof value === "number" && value > 0 && value <= Date.UTC(9999, 11, 31);
	return isTime ? new Date(value).toISOString() : undefined;
}
