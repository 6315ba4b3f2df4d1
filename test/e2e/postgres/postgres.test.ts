/**
 * What README.md says about databases, done as it stands there: a table in a real PostgreSQL whose trigger posts its
 * changes, and each row arrives at a model as the database wrote it. Skipped where no server is installed, unless
 * SLUICE_REQUIRE_POSTGRES=1 says that it must not be.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { unique } from "../api.ts";
import type { Source } from "../api.ts";
import { answer } from "../behaviours.ts";
import type { Model, ReceivedRequest } from "../receiver.ts";
import { setting } from "../setting.ts";
import { until } from "../until.ts";
import { startPgNetWorker } from "./pg-net-worker.ts";
import type { PgNetWorker } from "./pg-net-worker.ts";
import { findPostgres, startPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

const binaries = findPostgres();
const isRequired = process.env["SLUICE_REQUIRE_POSTGRES"] === "1";
const readme = readReadme(await readFile(join(import.meta.dirname, "../../../README.md"), "utf8"));

/** The first integer that a JSON number of JavaScript cannot hold, and the largest bigint. */
const BIG_IDS = ["9007199254740993", "9223372036854775807"];
/** Everything that an escape on the way would spoil. */
const TITLE = `quote ' double " back\\slash \\n percent %s dollar $HOME \`id\` tab\t newline\n é € 😀`;

describe.skipIf(binaries === null && !isRequired)("a PostgreSQL table with a trigger", () => {
	const stage = setting();
	let server: PostgresServer;
	let database: Client;
	let worker: PgNetWorker;
	let source: Source;
	let model: Model;

	beforeAll(async () => {
		if (binaries === null)
			throw new Error("SLUICE_REQUIRE_POSTGRES is set, but no PostgreSQL server was found.");
		server = await startPostgres(binaries);
		database = new Client(server.connection);
		await database.connect();
		await database.query(await readFile(join(import.meta.dirname, "pg_net.sql"), "utf8"));
		worker = await startPgNetWorker(server.connection);
		await database.query(
			"create table documents (id bigint primary key, title text, score numeric, tags jsonb)",
		);
		source = await stage.api.createSource({ ...readme.sourceFields, name: unique("documents-db") });
		await install();
	});

	afterAll(async () => {
		await database?.end();
		await worker?.stop();
		await server?.stop();
	});

	beforeEach(async () => {
		const { api, receiver } = stage;
		model = receiver.model(answer(204));
		const endpoint = await api.createEndpoint({ url: model.url, protocol: "cloudevents" });
		await api.createSubscription({ endpoint: endpoint.id, source: source.id });
		await database.query("truncate documents");
	});

	afterEach(async () => {
		expect(await worker.failures()).toEqual([]);
	});

	test.each(BIG_IDS)("INSERT, UPDATE and DELETE of row %s arrive byte for byte", async (id) => {
		await database.query("insert into documents values ($1, $2, 1.50, '{\"a\": 1e2}')", [id, TITLE]);
		const inserted = await requestFor("documents.insert");
		await database.query("update documents set score = 12345678901234567890.10 where id = $1", [id]);
		const updated = await requestFor("documents.update");
		await database.query("delete from documents where id = $1", [id]);
		const deleted = await requestFor("documents.delete");

		const before = `{"id": ${id}, "tags": {"a": 100}, "score": 1.50, "title": ${inPostgresJson(TITLE)}}`;
		const after = before.replace("1.50", "12345678901234567890.10");
		expect(inserted.text).toBe(change("INSERT", before, "null"));
		expect(updated.text).toBe(change("UPDATE", after, before));
		expect(deleted.text).toBe(change("DELETE", "null", after));
		expect(model.requests).toHaveLength(3);
	});

	test("a statement over many rows is as many events", async () => {
		await database.query("insert into documents select n, 'row ' || n from generate_series(1, 25) n");

		const requests = await model.received(25);

		const ids = requests.map(({ text }) => (JSON.parse(text) as { record: { id: number } }).record.id);
		expect(ids.sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, index) => index + 1));
	});

	test("a change that is rolled back is no event", async () => {
		await database.query("begin; insert into documents (id) values (1); rollback");
		await database.query("insert into documents (id) values (2)");
		await requestFor("documents.insert");
		expect(model.requests.map(({ text }) => text)).toEqual([expect.stringContaining('"id": 2,')]);
	});

	test("run again, it sends each change once", async () => {
		await install();
		await database.query("insert into documents (id) values (3)");
		await database.query("delete from documents");
		await Promise.all([requestFor("documents.insert"), requestFor("documents.delete")]);
		expect(model.requests).toHaveLength(2);
	});

	test("a trigger with a wrong secret is refused, and stores nothing", async () => {
		const { api } = stage;
		const stranger = await api.createSource({ ...readme.sourceFields, name: unique("documents-db") });
		await install({ ...source, ingest_url: stranger.ingest_url });
		await database.query("insert into documents (id) values (4)");

		const failures = await until("the refusal", async () => {
			const found = await worker.failures();
			return found.length === 0 ? null : found;
		});

		const content = expect.stringContaining('"code":"unauthorized"') as string;
		expect(failures).toEqual([{ status_code: 401, content, error_msg: null }]);
		expect(await api.must("GET", `/v1/events?source=${stranger.name}`)).toMatchObject({ data: [] });
		await install();
	});

	test("removed, it leaves nothing behind", async () => {
		await database.query(readme.remove);
		await database.query("insert into documents (id) values (5); delete from documents");
		const { rows } = await database.query(
			"select tgname as left from pg_trigger where not tgisinternal union select nspname from pg_namespace where nspname = 'sluice_hook'",
		);
		expect(rows).toEqual([]);
		await install();
	});

	/** Runs the README's SQL with its two placeholders filled in. */
	async function install({ ingest_url, secret } = source): Promise<void> {
		await database.query(
			readme.install.replace("'INGEST_URL'", `'${ingest_url}'`).replace("'SECRET'", `'${secret}'`),
		);
	}

	function requestFor(type: string): Promise<ReceivedRequest> {
		return model.request(({ headers }) => headers["ce-type"] === type);
	}
});

/** PostgreSQL's text of the row's change: jsonb orders keys by length, then by name. */
function change(operation: string, record: string, oldRecord: string): string {
	return `{"type": "${operation}", "table": "documents", "record": ${record}, "schema": "public", "old_record": ${oldRecord}}`;
}

/** jsonb escapes as JSON.stringify does, and leaves everything beyond ASCII as it is. */
function inPostgresJson(text: string): string {
	return JSON.stringify(text);
}

/** The section as its reader takes it; only the extension that is stood in for is not turned on. */
function readReadme(text: string) {
	const section = text.split("\n## ").find((part) => part.startsWith("Point your database at it\n")) ?? "";
	const only = (pattern: RegExp): string => {
		const found = [...section.matchAll(pattern)].map(([, captured]) => captured);
		if (found.length !== 1 || found[0] === undefined)
			throw new Error(`README.md has ${found.length} pieces like ${pattern}, not one.`);
		return found[0];
	};
	return {
		sourceFields: JSON.parse(only(/^api \/sources -d '(\{.*?\})'$/gms)) as Record<string, unknown>,
		install: only(/^```sql\ncreate extension if not exists pg_net;\n(.*?)^```$/gms),
		remove: only(/To remove it: `([^`]+)`/g),
	};
}
