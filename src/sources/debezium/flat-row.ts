/**
 * Reads a row that the transformation `ExtractNewRecordState` has extracted from its envelope. Operation and log position
 * are in the members that `add.fields` adds (`__op`, `__table`, `__lsn`), or in the headers of `add.headers`.
 * https://debezium.io/documentation/reference/stable/transformations/event-flattening.html. Pure.
 */
import type { Attributes, CloudEvent } from "../../events/event.ts";
import { memberTexts } from "../../events/json/text.ts";
import { sourcePath, usableText } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, textAt, valueAt } from "../reading/json-body.ts";
import { OTHER_TYPE, POSITION, type RecordContext, changeType, rowSubject, timeFromMs } from "./naming.ts";

const PREFIX = "__";

/** Returns null if the record cannot be recognised as a row. */
export function flatRowEvent(row: JsonObject, context: RecordContext): CloudEvent | null {
	const added = (name: string) => addedValue(row, context, name);
	const isDeleted = added("deleted") === "true";
	const op = added("op") ?? (isDeleted ? "d" : undefined);
	const table = added("table") ?? added("collection");
	if (op === undefined && table === undefined) return null;
	const namespace = added("schema") ?? added("db");
	const time = timeFromMs(valueAt(row, "__source_ts_ms")) ?? timeFromMs(valueAt(row, "__ts_ms"));
	const attributes: Attributes = {
		id: flatRowId(row, context, [namespace, table, op]),
		source: serverPath(context, added("connector"), added("name")),
		type: changeType(namespace, table, op) ?? OTHER_TYPE,
		...(table !== undefined && { subject: rowSubject(table, textAt(row, context.primaryKey)) }),
		time: time ?? new Date(context.now).toISOString(),
		datacontenttype: "application/json",
	};
	return { attributes, data: { kind: "json", text: row.text } };
}

/** Reads a member that was added from the envelope or from its `source`, with or without `source_` in its name. */
function addedValue(row: JsonObject, { headers }: RecordContext, name: string): string | undefined {
	for (const full of [`${PREFIX}${name}`, `${PREFIX}source_${name}`]) {
		const value = textAt(row, full) ?? booleanAt(row, full) ?? usableText(headers(full));
		if (value !== undefined) return value;
	}
	return undefined;
}

function booleanAt(row: JsonObject, name: string): string | undefined {
	const value = valueAt(row, name);
	return typeof value === "boolean" ? String(value) : undefined;
}

/**
 * Identifies the position in the log and the row. Without a position, a row can return to an earlier state, so the id
 * includes the request.
 */
function flatRowId(row: JsonObject, context: RecordContext, names: (string | undefined)[]): string {
	const position = POSITION.map((name) => addedValue(row, context, name) ?? "");
	const [, ...beyondTime] = position;
	if (beyondTime.every((value) => value === "")) return contentHash(context.place, row.text);
	const columns = [...memberTexts(row.text)].filter(([name]) => !name.startsWith(PREFIX)).flat();
	// Without the time of reading, which differs whenever the change is read again.
	return contentHash(...names.map((name) => name ?? ""), ...beyondTime, ...columns);
}

/** `/debezium/{connector}/{server}`. Debezium also sends these in the headers of every record. */
export function serverPath(
	{ headers, sourceName }: RecordContext,
	connector = usableText(headers("__debezium.context.connectorname")),
	server = usableText(headers("__debezium.context.connectorlogicalname")),
): string {
	return sourcePath("debezium", connector ?? sourceName, ...(server === undefined ? [] : [server]));
}
