/** Converts a row change to event attributes: where payloads contain it, and the event's type and subject. Pure. */
import * as z from "zod";
import { TOLERANCE_SECONDS } from "../../crypto/freshness.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { type JsonObject, isObject, textAt, valueAt } from "./json-body.ts";

/** The settings of database kinds. */
export const rowSettings = z.strictObject({
	/** The column whose value is the last part of the subject. */
	primary_key: z.string().min(1).max(128).default("id"),
});

export type RowSettings = z.output<typeof rowSettings>;

const DAY_SECONDS = 86_400;

/** The settings of kinds whose rows are sent by a trigger. */
export const triggerSettings = rowSettings.extend({
	/**
	 * The maximum age of a signature. The trigger signs when the row is written, and pg_net may need a day to send the
	 * rows of a large import. The upper limit is how long events are kept.
	 */
	signature_max_age_seconds: z
		.int()
		.min(TOLERANCE_SECONDS)
		.max(7 * DAY_SECONDS)
		.default(DAY_SECONDS),
});

export type TriggerSettings = z.output<typeof triggerSettings>;

type Path = readonly string[];

/** Where a payload contains the change. */
export interface RowLayout {
	operation: Path;
	/** Maps the publisher's operation names to the router's. */
	operations: Readonly<Record<string, string>>;
	schema: Path;
	table: Path;
	/** The possible paths of the row. The first one found counts, so the new row comes before the old. */
	rows: readonly Path[];
}

/** The payload of row triggers: Supabase's webhooks, and the router's own, which adds an identity. */
export const TRIGGER_LAYOUT: RowLayout = {
	operation: ["type"],
	operations: { INSERT: "insert", UPDATE: "update", DELETE: "delete" },
	schema: ["schema"],
	table: ["table"],
	rows: [["record"], ["old_record"]],
};

export interface RowChange {
	/** `{schema}.{table}.{operation}` */
	type: string;
	/** `{table}/{primary key}`, or only the table if the row has no such column. */
	subject: string;
	schema: string;
}

/**
 * Reads a row change. Refuses with 400 `invalid_payload` if table or operation are missing. `primaryKey`: the column
 * for the last part of the subject. `at`: the prefix of paths in refusals, "data[3]." for an element of a list.
 */
export function readRowChange(
	json: JsonObject,
	layout: RowLayout,
	primaryKey: string,
	at = "",
): ({ ok: true } & RowChange) | Refusal {
	const word = valueAt(json, ...layout.operation);
	const operation =
		typeof word === "string" && Object.hasOwn(layout.operations, word) ? layout.operations[word] : undefined;
	if (operation === undefined) {
		return invalid(at, layout.operation, `must be one of ${Object.keys(layout.operations).join(", ")}`);
	}
	const schema = identifierAt(json, layout.schema);
	if (schema === undefined) return invalid(at, layout.schema, "must name a schema");
	const table = identifierAt(json, layout.table);
	if (table === undefined) return invalid(at, layout.table, "must name a table");

	const row = layout.rows.find((path) => isObject(valueAt(json, ...path)));
	const key = row === undefined ? undefined : textAt(json, ...row, primaryKey);
	return {
		ok: true,
		type: `${schema}.${table}.${operation}`,
		subject: key === undefined ? table : `${table}/${key}`,
		schema,
	};
}

/** PostgreSQL identifiers have at most 63 bytes, SQL Server's 128 characters. They may contain any character. */
const MAX_IDENTIFIER_LENGTH = 128;

/**
 * Returns the identifier without characters that attributes forbid, so that an unusual name does not lose the event.
 */
function identifierAt(json: JsonObject, path: Path): string | undefined {
	const name = valueAt(json, ...path);
	if (typeof name !== "string" || name === "" || name.length > MAX_IDENTIFIER_LENGTH) return undefined;
	return name.toWellFormed().replace(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, "_");
}

function invalid(at: string, path: Path, what: string): Refusal {
	const name = `${at}${path.join(".")}`;
	return refuse(400, "invalid_payload", `"${name}" ${what}.`, name);
}
