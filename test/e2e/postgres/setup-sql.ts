/**
 * The SQL that `GET /v1/sources/{id}/setup` hands out, run as it stands in a real PostgreSQL; only the placeholder
 * is replaced, and stand-ins replace extensions that Debian does not package. One suite for each kind of source.
 * Skipped where no server is installed, unless SLUICE_REQUIRE_POSTGRES=1 says that it must not be.
 */
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Source, Subscription } from "../support/api.ts";
import { answer } from "../support/behaviours.ts";
import type { Model, ReceivedRequest } from "../support/receiver.ts";
import { setting } from "../support/setting.ts";
import { until } from "../support/until.ts";
import { PATIENCE_MS } from "../../patience.ts";
import { binaries, install, isRequired, missing, openDatabase, readSetup } from "./install.ts";
import type { SetupVariant } from "./install.ts";
import { startPgNetWorker } from "./pg-net-worker.ts";
import type { PgNetWorker } from "./pg-net-worker.ts";
import { startPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

export interface Variant {
	name: string;
	/** Files that stand in for extensions, and the steps that would turn those on. */
	standIns: string[];
	/** Whether it runs Sluice's own trigger function; else Supabase's. */
	isOurs: boolean;
	/** Whether it waits for the answer, and a refusal fails the write. */
	blocks: boolean;
	/** How many rows are written by one statement too; 0 for none. */
	bulkRows: number;
	/** What the source asks for, where that is not the kind's own. */
	auth: { type: string } | null;
	isInstalled: boolean;
}

/** What most variants are. */
export const OURS = {
	standIns: [],
	isOurs: true,
	blocks: false,
	bulkRows: 0,
	auth: null,
	isInstalled: binaries !== null,
};
/** Values that a careless way through JSON, numbers or escapes would change. */
const ROW = `(
  9007199254740993,
  12345678901234567890.10,
  '2026-01-02 03:04:05.678901+02',
  '{"b": 1e2, "a": 9223372036854775807, "é": "\\\\ \\" 😀"}',
  '\\x00ff10',
  array['a,b', null, '"quoted"'],
  array[[1, 2], [3, 4]],
  null,
  0.1,
  '1 day 02:03:04')`;
const COLUMNS = `id bigint primary key, amount numeric, at timestamptz, tags jsonb, content bytea, words text[],
  matrix int[][], note text, ratio float8, span interval`;

/** The row as to_jsonb has it in UTC; jsonb orders keys by length, then by name. */
const ROW_JSON =
	'{"at": "2026-01-02T01:04:05.678901+00:00", "id": 9007199254740993, "note": null, "span": "1 day 02:03:04", ' +
	'"tags": {"a": 9223372036854775807, "b": 100, "é": "\\\\ \\" 😀"}, "ratio": 0.1, ' +
	'"words": ["a,b", null, "\\"quoted\\""], "amount": 12345678901234567890.10, "matrix": [[1, 2], [3, 4]], ' +
	'"content": "\\\\x00ff10"}';
const UPDATED_JSON = ROW_JSON.replace('"note": null', `"note": "it's ' \\\\ $1 %s"`);

/** How long ago the rows of a bulk were signed: as if the queue of the database took that long to drain. */
const DRAINING = "20 minutes";
const BULK_PATIENCE_MS = 600_000;

/** Registers the suite of one kind of source: every variant in a database of its own. */
export function testSetupSql(kind: "postgres" | "supabase", variants: Variant[]): void {
	let server: PostgresServer;
	beforeAll(async () => {
		if (binaries !== null) server = await startPostgres(binaries);
		else if (isRequired) throw missing();
	});
	afterAll(() => server?.stop());

	const named = variants.map((variant) => ({ ...variant, label: labelOf(variant) }));
	describe.each(named)(`${kind} by $label`, (variant) => {
		const { name, standIns, isOurs, blocks, bulkRows, auth, isInstalled } = variant;
		describe.skipIf(!isInstalled && !isRequired)("the set-up", () => {
			const stage = setting();
			const databaseName = `${kind}_${name}_${auth?.type ?? ""}`.replaceAll("-", "_");
			let database: Client;
			let worker: PgNetWorker | undefined;
			let source: Source;
			let setup: SetupVariant;
			let model: Model;
			let subscription: Subscription;

			beforeAll(async () => {
				database = await openDatabase(server, databaseName, standIns);
				// Supabase keeps extensions in a schema of their own; elsewhere they stand in public.
				if (name === "pg_net")
					await database.query("create schema extensions; create extension pgcrypto schema extensions");
				if (!blocks) worker = await startPgNetWorker({ ...server.connection, database: databaseName });
				await database.query(`create table documents (${COLUMNS})`);
				source = await stage.api.createSource({ kind, ...(auth && { auth }) });
				setup = await readSetup(stage.api, source, name);
			});
			afterAll(async () => {
				await database?.end();
				await worker?.stop();
			});

			beforeEach(async () => {
				model = stage.receiver.model(answer(204));
				const endpoint = await stage.api.createEndpoint({ url: model.url, protocol: "cloudevents" });
				subscription = await stage.api.createSubscription({ endpoint: endpoint.id, source: source.id });
				await reinstall();
			});

			afterEach(async () => {
				await stage.api.must("DELETE", `/v1/subscriptions/${subscription.id}`);
				if (worker !== undefined) expect(await worker.failures()).toEqual([]);
			});

			test("INSERT, UPDATE and DELETE arrive exactly, named after the row", async () => {
				await database.query(`insert into documents values ${ROW}`);
				await database.query("update documents set note = $1", ["it's ' \\ $1 %s"]);
				await database.query("delete from documents");

				const [inserted, updated, deleted] = await Promise.all([
					requestFor("insert"),
					requestFor("update"),
					requestFor("delete"),
				]);
				expect(withoutIdentity(inserted.text)).toBe(change("INSERT", ROW_JSON, "null"));
				expect(withoutIdentity(updated.text)).toBe(change("UPDATE", UPDATED_JSON, ROW_JSON));
				expect(withoutIdentity(deleted.text)).toBe(change("DELETE", "null", UPDATED_JSON));
				for (const { headers } of [inserted, updated, deleted]) {
					expect(headers["ce-subject"]).toBe("documents/9007199254740993");
					expect(headers["ce-source"]).toBe(`/pg/${source.name}/public`);
				}
				expect(model.requests).toHaveLength(3);
			});

			if (kind === "postgres")
				test("a message has an id, its transaction and its time", async () => {
					await database.query("begin");
					const { rows } = await database.query<{ txid: string }>(
						"select pg_current_xact_id()::text as txid",
					);
					await database.query("insert into documents (id) values (1)");
					await database.query("insert into documents (id) values (2)");
					await database.query("commit; delete from documents");
					const inserts = (await model.received(4)).filter(isFor("insert"));
					const messages = inserts.map(
						({ text }) => JSON.parse(text) as { id: string; txid: string; at: string },
					);
					expect(messages.map(({ txid }) => txid)).toEqual([rows[0]?.txid, rows[0]?.txid]);
					expect(new Set(messages.map(({ id }) => id)).size).toBe(2);
					expect(inserts.map(({ headers }) => [headers["ce-id"], headers["ce-time"]])).toEqual(
						messages.map(({ id, at }) => [id, at]),
					);
				});

			if (isOurs)
				test("a row reads the same whatever the session prefers", async () => {
					await database.query(`
					set timezone = 'America/New_York'; set bytea_output = 'escape'; set extra_float_digits = 0;
					set datestyle = 'German'; set intervalstyle = 'iso_8601'; set search_path = pg_temp`);
					await database.query(`insert into public.documents values ${ROW}`);
					await database.query("reset all; delete from documents");
					// The delete too, or the next test would see it.
					const [inserted] = await Promise.all([requestFor("insert"), requestFor("delete")]);
					expect(withoutIdentity(inserted.text)).toBe(change("INSERT", ROW_JSON, "null"));
				});

			test("run twice, it sends each change once", async () => {
				await reinstall();
				const { rows } = await database.query(
					"select tgname from pg_trigger where tgrelid = 'documents'::regclass",
				);
				expect(rows).toEqual([{ tgname: "sluice" }]);
				await database.query("insert into documents (id) values (7)");
				await database.query("delete from documents");
				await Promise.all([requestFor("insert"), requestFor("delete")]);
				expect(model.requests).toHaveLength(2);
			});

			if (bulkRows > 0)
				test(
					`a statement over ${bulkRows} rows is as many events`,
					async () => {
						if (isOurs) await turnClockBack(database, DRAINING);
						await database.query(
							`insert into documents (id) select 1000 + n from generate_series(1, ${bulkRows}) n`,
						);
						const { requests } = model;
						const haveArrived = async () => {
							expect(await worker?.failures()).toEqual([]);
							return requests.length >= bulkRows || null;
						};
						await until(`${bulkRows} requests`, haveArrived, BULK_PATIENCE_MS);
						const subjects = requests.map(({ headers }) => headers["ce-subject"]);
						expect(new Set(subjects).size).toBe(bulkRows);
						expect(requests).toHaveLength(bulkRows);
						await database.query("truncate documents");
					},
					BULK_PATIENCE_MS + PATIENCE_MS,
				);

			if (!blocks)
				test("a change that is rolled back is no event", async () => {
					await database.query("begin; insert into documents (id) values (11); rollback");
					await database.query("insert into documents (id) values (12)");
					await database.query("delete from documents");
					await Promise.all([requestFor("insert"), requestFor("delete")]);
					const subjects = model.requests.map(({ headers }) => headers["ce-subject"]);
					expect(subjects).toEqual(["documents/12", "documents/12"]);
				});

			if (isOurs)
				test("a role that may only write to the table can do only that", async () => {
					await database.query(`
					drop role if exists writer; create role writer; grant insert, delete on documents to writer; set role writer`);
					await database.query("insert into documents (id) values (8)");
					await expect(database.query("select * from sluice.target")).rejects.toThrow(/permission denied/);
					await expect(database.query("select sluice.watch('documents')")).rejects.toThrow(
						/permission denied/,
					);
					const seen = await database.query("select 1 from pg_proc where prosrc like $1", [
						`%${source.secret}%`,
					]);
					expect(seen.rows).toEqual([]);
					await database.query("reset role; delete from documents; drop owned by writer; drop role writer");
					const [inserted] = await Promise.all([requestFor("insert"), requestFor("delete")]);
					expect(inserted.headers["ce-subject"]).toBe("documents/8");
				});

			if (kind === "postgres" && !blocks)
				test("a role that can log in sees waiting requests but no secret, or nothing if a superuser revokes that", async () => {
					await worker?.stop();
					await database.query(`
						create role reader; grant insert on documents to reader; set role reader;
						insert into documents (id) values (14)`);
					const look = () =>
						database.query<{ sent: string }>(
							"select url || headers::text as sent from net.http_request_queue",
						);
					const seen = await look();
					await database.query(
						"reset role; revoke all on all tables in schema net from public; set role reader",
					);
					await expect(look()).rejects.toThrow(/permission denied/);
					await database.query("insert into documents (id) values (15); reset role");
					await database.query(`
						grant all on all tables in schema net to public;
						drop owned by reader; drop role reader; truncate documents`);
					worker = await startPgNetWorker({ ...server.connection, database: databaseName });
					await database.query("notify pg_net");

					expect(seen.rows).toHaveLength(1);
					expect(seen.rows[0]?.sent).toContain("webhook-signature");
					expect(seen.rows[0]?.sent).not.toContain(source.secret.slice("whsec_".length));
					const subjects = (await model.received(2)).map(({ headers }) => headers["ce-subject"]);
					expect(new Set(subjects)).toEqual(new Set(["documents/14", "documents/15"]));
				});

			if (isOurs)
				test("a partition's rows are rows of its table, whatever its name", async () => {
					await database.query(`
					create schema parts;
					create table "Scan's Day" (path text, at date) partition by range (at);
					create table parts.y2026 partition of "Scan's Day" for values from ('2026-01-01') to ('2027-01-01');
					select sluice.watch('"Scan''s Day"'), sluice.watch('"Scan''s Day"')`);
					await database.query(`insert into "Scan's Day" values ('1.png', '2026-02-03')`);
					const { headers, text } = await model.request(() => true);
					expect(headers["ce-type"]).toBe("public.Scan's%20Day.insert");
					expect(headers["ce-source"]).toBe(`/pg/${source.name}/public`);
					expect(text).toContain('"table": "Scan\'s Day"');
					await database.query(`drop table "Scan's Day"; drop schema parts`);
					expect(model.requests).toHaveLength(1);
				});

			if (isOurs)
				test("with the placeholder left in it refuses to install", async () => {
					await expect(reinstall("<SECRET>")).rejects.toThrow(/put_the_secret_in/);
					await database.query("rollback");
				});

			if (blocks)
				test("a refusal fails the write", async () => {
					await database.query("update sluice.target set secret = 'whsec_' || repeat('A', 44)");
					const write = database.query("insert into documents (id) values (9)");
					await expect(write).rejects.toThrow("Sluice responded with 401");
					expect((await database.query("select id from documents")).rows).toEqual([]);
				});

			if (blocks)
				test("so does one without a body", async () => {
					await database.query("update sluice.target set url = $1", [stage.receiver.model(answer(502)).url]);
					const write = database.query("insert into documents (id) values (13)");
					await expect(write).rejects.toThrow("Sluice responded with 502");
				});

			test("removed, it leaves nothing behind", async () => {
				for (let time = 1; time <= 2; time++) await database.query(setup.remove.code);
				await database.query("insert into documents (id) values (10); delete from documents");
				const { rows } = await database.query(
					"select tgname as left from pg_trigger where not tgisinternal union select nspname from pg_namespace where nspname = 'sluice'",
				);
				expect(rows).toEqual([]);
				expect(model.requests).toEqual([]);
			});

			function reinstall(secret = source.secret): Promise<void> {
				return install(database, setup, { secret, isStoodIn: standIns.length > 0 });
			}

			function requestFor(operation: string): Promise<ReceivedRequest> {
				return model.request(isFor(operation));
			}
		});
	});
}

function labelOf({ name, auth }: Variant): string {
	return auth === null ? name : `${name}, with auth ${auth.type}`;
}

/** What the trigger signs from now on says that it was signed `interval` ago, until the set-up is run again. */
async function turnClockBack(database: Client, interval: string): Promise<void> {
	const { rows } = await database.query<{ definition: string }>(
		"select pg_get_functiondef('sluice.notify'::regproc) as definition",
	);
	const [definition, changed] = [rows[0]?.definition ?? "", `clock_timestamp() - interval '${interval}'`];
	expect(definition).toContain("clock_timestamp()");
	await database.query(definition.replace("clock_timestamp()", changed));
}

function isFor(operation: string): (request: ReceivedRequest) => boolean {
	return ({ headers }) => headers["ce-type"] === `public.documents.${operation}`;
}

function change(operation: string, record: string, oldRecord: string): string {
	return `{"type": "${operation}", "table": "documents", "record": ${record}, "schema": "public", "old_record": ${oldRecord}}`;
}

/** Our messages say more than Supabase's; what they say is another test's. */
function withoutIdentity(text: string): string {
	return text.replace(/^\{"at": "[^"]+", "id": "[0-9a-f-]{36}", "txid": "\d+", /, "{");
}

/** Whether PL/Python is there to be turned on: Debian packages it apart from the server. */
export function hasPython(): boolean {
	if (binaries === null) return false;
	const installation = dirname(dirname(realpathSync(join(binaries, "postgres"))));
	const folders = [
		join("/usr/share/postgresql", basename(installation), "extension"),
		join(installation, "share/extension"),
		join(installation, "share/postgresql/extension"),
	];
	return folders.some((folder) => existsSync(join(folder, "plpython3u.control")));
}
