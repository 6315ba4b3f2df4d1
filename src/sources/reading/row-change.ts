/** The change of a database row as an event: where payloads say it, and what the event is called. Pure. */
import * as z from "zod";
import { TOLERANCE_SECONDS } from "../../crypto/freshness.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { type JsonObject, isObject, textAt, valueAt } from "./json-body.ts";

/** What a source of a database kind may be told. */
export const rowSettings = z.strictObject({
	/** The column whose value ends the subject. */
	primary_key: z.string().min(1).max(128).default("id"),
});

export type RowSettings = z.output<typeof rowSettings>;

const DAY_SECONDS = 86_400;

/** What a source of a kind whose rows are sent by a trigger may be told. */
export const triggerSettings = rowSettings.extend({
	/**
	 * How long ago a signature may have been made. It is made when the row is written, and pg_net needs a day for
	 * the rows of a large load. Events are kept no longer than the most of it.
	 */
	signature_max_age_seconds: z
		.int()
		.min(TOLERANCE_SECONDS)
		.max(7 * DAY_SECONDS)
		.default(DAY_SECONDS),
});

export type TriggerSettings = z.output<typeof triggerSettings>;

type Path = readonly string[];

/** Where one sort of payload says what has changed. */
export interface RowLayout {
	operation: Path;
	/** The publisher's words for what was done, and ours. */
	operations: Readonly<Record<string, string>>;
	schema: Path;
	table: Path;
	/** Where the row is; the first that holds one counts, so the new row stands before the old. */
	rows: readonly Path[];
}

/** What row triggers post: Supabase's webhooks, and ours, which has an identity more. */
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
	/** `{table}/{primary key}`, or the table alone when the row has no such column. */
	subject: string;
	schema: string;
}

/**
 * Refuses with 400 `invalid_payload` what does not say which table changed, or how. `primaryKey`: the column whose
 * value ends the subject. `at` stands before the paths in refusals: "data[3]." for an element of a list.
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

/** Databases let identifiers hold any character; PostgreSQL's have at most 63 bytes, SQL Server's 128 characters. */
const MAX_IDENTIFIER_LENGTH = 128;

/** The identifier without what no attribute may hold: a strange name costs nobody an event. */
function identifierAt(json: JsonObject, path: Path): string | undefined {
	const name = valueAt(json, ...path);
	if (typeof name !== "string" || name === "" || name.length > MAX_IDENTIFIER_LENGTH) return undefined;
	return name.toWellFormed().replace(/[\p{Cc}\p{Noncharacter_Code_Point}]/gu, "_");
}

function invalid(at: string, path: Path, what: string): Refusal {
	const name = `${at}${path.join(".")}`;
	return refuse(400, "invalid_payload", `"${name}" ${what}.`, name);
}
