/**
 * Many rows in one statement: they come as a JSON array, so that a statement has one parameter for all of them, and a request
 * few statements, however many rows it writes. Table and column names come from this folder's code only.
 */
import type { Row } from "./rows.ts";

/** D1 takes 2 MB for a value. */
const CHUNK_LENGTH = 400_000;

/** In order, cut so that no chunk is longer than a statement may be; a row that is longer stands alone. */
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

/** A condition of a statement; what it binds comes last. */
interface When {
	sql: string;
	bound: readonly (string | number)[];
}

const ALWAYS: When = { sql: "TRUE", bound: [] };

/** All rows have the columns of the first one. */
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
 * Each row has its `id` and the columns that change, which may be others than its neighbour's; columns that are not named
 * stay as they are. `now` in ms.
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
