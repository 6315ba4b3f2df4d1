/** Puts back what a former release has stored, as it stood in the database: its own tables, its own rows. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";

type Value = string | number | null;

export interface StoredTables {
	/** CREATE statements of that release, tables before indexes. */
	schema: string[];
	tables: Record<string, Record<string, Value>[]>;
}

export interface StoredObject extends StoredTables {
	kv: Record<string, unknown>;
}

/** The object wakes with this storage the next time it is called. */
export async function restoreObject<T extends Rpc.DurableObjectBranded>(
	stub: DurableObjectStub<T>,
	{ schema, tables, kv }: StoredObject,
): Promise<void> {
	await runInDurableObject(stub, async (_, { storage }) => {
		await storage.deleteAll();
		for (const statement of schema) storage.sql.exec(statement);
		for (const [table, rows] of Object.entries(tables)) {
			for (const row of rows) storage.sql.exec(insertInto(table, row), ...Object.values(row));
		}
		for (const [key, value] of Object.entries(kv)) storage.kv.put(key, value);
	});
	await evictDurableObject(stub);
}

/** Replaces whatever the database holds. */
export async function restoreDatabase({ schema, tables }: StoredTables): Promise<void> {
	const { results } = await env.DB.prepare(
		"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*' AND name NOT GLOB 'sqlite*'",
	).all<{ name: string }>();
	if (results.length > 0) await env.DB.batch(results.map(({ name }) => env.DB.prepare(`DROP TABLE ${name}`)));
	await env.DB.batch(schema.map((statement) => env.DB.prepare(statement)));
	for (const [table, rows] of Object.entries(tables)) {
		for (const row of rows) {
			await env.DB.prepare(insertInto(table, row))
				.bind(...Object.values(row))
				.run();
		}
	}
}

function insertInto(table: string, row: Record<string, Value>): string {
	const columns = Object.keys(row);
	return `INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`;
}
