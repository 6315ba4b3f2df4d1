/**
 * A table in a real PostgreSQL whose trigger posts its changes: each row arrives at a model as the database wrote
 * it. Skipped where no server is installed, unless SLUICE_REQUIRE_POSTGRES=1 says that it must not be.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { unique } from "../api.ts";
import type { Source } from "../api.ts";
import { answer } from "../behaviours.ts";
import type { Model, ReceivedRequest } from "../receiver.ts";
import { setting } from "../setting.ts";
import { findPostgres, startPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

const binaries = findPostgres();
const isRequired = process.env["SLUICE_REQUIRE_POSTGRES"] === "1";

/** The first integer that a JSON number of JavaScript cannot hold, and the largest bigint. */
const BIG_IDS = ["9007199254740993", "9223372036854775807"];
/** Everything that an escape on the way would spoil. */
const TITLE = `quote ' double " back\\slash \\n percent %s dollar $HOME \`id\` tab\t newline\n é € 😀`;

describe.skipIf(binaries === null && !isRequired)("a PostgreSQL table with a trigger", () => {
	const stage = setting();
	let server: PostgresServer;
	let database: Client;
	let source: Source;
	let model: Model;

	beforeAll(async () => {
		if (binaries === null)
			throw new Error("SLUICE_REQUIRE_POSTGRES is set, but no PostgreSQL server was found.");
		server = await startPostgres(binaries);
		database = new Client(server.connection);
		await database.connect();
		await database.query("create extension pgcrypto");
		await database.query(await readSql("pg_net.sql"));
		await database.query(
			"create table documents (id bigint primary key, title text, score numeric, tags jsonb)",
		);

		const { api } = stage;
		source = await api.createSource({
			auth: { type: "standard_webhooks" },
			event_type: '="documents." & $lowercase(body.type)',
		});
		const notify = await readSql("notify.sql");
		await database.query(
			notify
				.replace("INGEST_URL", source.ingest_url)
				.replace("SECRET_WITHOUT_WHSEC", source.secret.slice("whsec_".length)),
		);
	});

	afterAll(async () => {
		await database?.end();
		await server?.stop();
	});

	beforeEach(async () => {
		const { api, receiver } = stage;
		model = receiver.model(answer(204));
		const endpoint = await api.createEndpoint({ url: model.url, protocol: "cloudevents" });
		await api.createSubscription({ endpoint: endpoint.id, source: source.id });
		await database.query("alter table documents disable trigger sluice");
		await database.query("truncate documents");
		await database.query("alter table documents enable trigger sluice");
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

	test("a trigger with a wrong secret is refused, and stores nothing", async () => {
		const { api } = stage;
		const stranger = await api.createSource({
			auth: { type: "standard_webhooks" },
			event_type: unique("never"),
		});
		const posted = database.query("select net.http_post($1, '{}')", [stranger.ingest_url]);
		await expect(posted).rejects.toThrow(/program .* failed/);
		expect(await api.must("GET", `/v1/events?source=${stranger.name}`)).toMatchObject({ data: [] });
	});

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

function readSql(name: string): Promise<string> {
	return readFile(join(import.meta.dirname, name), "utf8");
}
