/**
 * Writes many rows per statement: the rows are passed as one JSON array parameter, so that a request needs few
 * statements for any number of rows. Table and column names come only from this folder's code.
 */
import type { Row } from "./rows.ts";

/** D1 allows 2 MB per value. */
const CHUNK_LENGTH = 400_000;

/** Splits the rows, in order, into chunks that fit into a statement. A longer row gets its own chunk. */
export function chunksOfRows<R extends Row>(rows: readonly R[]): R[][] {
	const chunks: R[][] = [];
	let room = 0;
	for (const row of rows) {
		const { length } = JSON.stringify(row);
		const last = chunks.at(-1);
		if (last === undefined || length > room) {
			chunks.push([row]);
			room = CHUNK_LENGTH - length;
		} else {
			last.push(row);
			room -= length;
		}
	}
	return chunks;
}

/** A condition of a statement. Its parameters are bound last. */
interface When {
	sql: string;
	bound: readonly (string | number)[];
}

const ALWAYS: When = { sql: "TRUE", bound: [] };

/** Inserts rows. All rows must have the columns of the first one. */
export function insertRows(
	db: D1Database,
	table: string,
	rows: readonly Row[],
	when = ALWAYS,
): D1PreparedStatement {
	const columns = Object.keys(rows[0] ?? {});
	const values = columns.map((column) => `json_extract(given.value, '$.${column}')`);
	return db
		.prepare(
			`INSERT INTO ${table} (${columns.join(", ")}) SELECT ${values.join(", ")}
			FROM json_each(?) AS given WHERE ${when.sql}`,
		)
		.bind(JSON.stringify(rows), ...when.bound);
}

/**
 * Updates rows. Each row has its `id` and the columns to change, which may differ between rows; other columns stay
 * unchanged. `now` in ms.
 */
export function updateRows(
	db: D1Database,
	table: string,
	rows: readonly Row[],
	{ now, when }: { now: number; when: When },
): D1PreparedStatement {
	const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((column) => column !== "id");
	const assignments = columns.map(
		(column) => `${column} = CASE WHEN json_type(given.value, '$.${column}') IS NULL THEN ${table}.${column}
			ELSE json_extract(given.value, '$.${column}') END`,
	);
	return db
		.prepare(
			`UPDATE ${table} SET ${[...assignments, "updated_at = ?", "revision = revision + 1"].join(", ")}
			FROM json_each(?) AS given WHERE ${table}.id = json_extract(given.value, '$.id') AND ${when.sql}`,
		)
		.bind(now, JSON.stringify(rows), ...when.bound);
}
