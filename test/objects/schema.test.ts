import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { eventLog } from "../../src/objects/clients.ts";
import { newId } from "../../src/events/ids.ts";
import { migrate } from "../../src/objects/schema.ts";

/** In the storage of some object, without its own tables. */
async function inStorage(check: (storage: DurableObjectStorage) => void): Promise<void> {
	await runInDurableObject(eventLog(env, newId("src")), async (_, { storage }) => {
		await storage.deleteAll();
		check(storage);
	});
}

const FIRST = "CREATE TABLE IF NOT EXISTS things (id INTEGER PRIMARY KEY)";
const SECOND = "ALTER TABLE things ADD COLUMN name TEXT";

function columnsOf({ sql }: DurableObjectStorage): string[] {
	return sql
		.exec<{ name: string }>("SELECT name FROM pragma_table_info('things')")
		.toArray()
		.map(({ name }) => name);
}

test("new storage gets every step, and each only once", async () => {
	await inStorage((storage) => {
		migrate(storage, [FIRST, SECOND]);
		migrate(storage, [FIRST, SECOND]);
		expect(columnsOf(storage)).toEqual(["id", "name"]);
	});
});

test("storage of a release without versions keeps its rows and gets what is new", async () => {
	await inStorage((storage) => {
		storage.sql.exec(FIRST);
		storage.sql.exec("INSERT INTO things (id) VALUES (7)");
		migrate(storage, [FIRST, SECOND]);
		expect(storage.sql.exec("SELECT * FROM things").toArray()).toEqual([{ id: 7, name: null }]);
	});
});

test("a step that fails leaves the storage as it was, and is tried again the next time", async () => {
	await inStorage((storage) => {
		migrate(storage, [FIRST]);
		expect(() => migrate(storage, [FIRST, SECOND, "ALTER TABLE nothing ADD COLUMN x TEXT"])).toThrow(
			/nothing/,
		);
		expect(columnsOf(storage)).toEqual(["id"]);
		migrate(storage, [FIRST, SECOND]);
		expect(columnsOf(storage)).toEqual(["id", "name"]);
	});
});

test("storage that a newer release has brought further stays as it is", async () => {
	await inStorage((storage) => {
		migrate(storage, [FIRST, SECOND]);
		migrate(storage, [FIRST]);
		expect(columnsOf(storage)).toEqual(["id", "name"]);
		migrate(storage, [FIRST, SECOND]);
		expect(columnsOf(storage)).toEqual(["id", "name"]);
	});
});
