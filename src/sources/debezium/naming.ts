/** Names row changes, for all Debezium formats: type, subject and id. Also the context for record readers. Pure. */
import { usableText } from "../reading/attribute-values.ts";
import { type JsonObject, textAt } from "../reading/json-body.ts";
import type { RecordHeaders } from "./record-headers.ts";

/** https://debezium.io/documentation/reference/stable/connectors/postgresql.html, "op". */
const VERBS: Readonly<Record<string, string>> = {
	c: "insert",
	u: "update",
	d: "delete",
	r: "read",
	t: "truncate",
};

/**
 * Members of `source` that locate a change in the log of its database, for all of Debezium's connectors. Like the row,
 * they are the same whenever the change is read again; `sequence`, `snapshot`, `version` and the times of reading are
 * not.
 */
export const POSITION = [
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

/** The type of a record that is not a row change. */
export const OTHER_TYPE = "debezium.record";

export interface RecordContext {
	/** For records that do not say where they come from. */
	sourceName: string;
	/** The column that identifies a row. A record's value does not say which one it is. */
	primaryKey: string;
	/** ms since the epoch. */
	now: number;
	/** The id of the request and the record's position in it, for records that nothing else tells apart. */
	place: string;
	/** Headers that came with this one record. */
	headers: RecordHeaders;
}

/** The operation in Sluice's terms; undefined if it is not a row operation. */
export function verbOf(op: string | undefined): string | undefined {
	return op !== undefined && Object.hasOwn(VERBS, op) ? VERBS[op] : undefined;
}

/** undefined for records that are not row changes: transactions, schema changes, messages. */
export function changeType(
	namespace: string | undefined,
	table: string | undefined,
	op: string | undefined,
): string | undefined {
	const verb = verbOf(op);
	if (table === undefined || verb === undefined) return undefined;
	return usableText([...(namespace === undefined ? [] : [namespace]), table, verb].join("."));
}

/** The table and the key of the row, after the change or before a delete. Without a key, the table. */
export function subjectOf(
	table: string | undefined,
	change: JsonObject,
	primaryKey: string,
): string | undefined {
	if (table === undefined) return undefined;
	return rowSubject(table, textAt(change, "after", primaryKey) ?? textAt(change, "before", primaryKey));
}

export function rowSubject(table: string, key: string | undefined): string {
	return key === undefined ? table : (usableText(`${table}/${key}`) ?? table);
}

/** Converts ms since the epoch to RFC 3339; undefined for anything else. */
export function timeFromMs(value: unknown): string | undefined {
	const isTime = typeof value === "number" && value > 0 && value <= Date.UTC(9999, 11, 31);
	return isTime ? new Date(value).toISOString() : undefined;
}
