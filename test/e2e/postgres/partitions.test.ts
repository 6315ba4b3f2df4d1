/**
 * Partitions and the tables that they are parts of, watched in any order: each change is queued once. What pg_net
 * would send is read in its table; the suites beside this one show that it arrives.
 */
import type { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { setting } from "../support/setting.ts";
import { binaries, install, isRequired, missing, openDatabase, readSetup } from "./install.ts";
import type { SetupVariant } from "./install.ts";
import { startPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

const TABLES = `
drop schema if exists app cascade;
create schema app;
create table app.scans (id int, at date, clinic text) partition by range (at);
create table app.y2025 partition of app.scans for values from ('2025-01-01') to ('2026-01-01');
create table app.y2026 partition of app.scans for values from ('2026-01-01') to ('2027-01-01')
  partition by list (clinic);
create table app.y2026_north partition of app.y2026 for values in ('north');
create table app.y2026_south partition of app.y2026 for values in ('south');
`;
const PARTS = ["y2025", "y2026", "y2026_north", "y2026_south"];
/** A row for each partition that holds some. */
const ROWS =
	"(1, date '2025-02-03', 'north'), (2, date '2026-02-03', 'north'), (3, date '2026-02-03', 'south')";

describe.skipIf(binaries === null && !isRequired)("tables that are partitioned", () => {
	const stage = setting();
	let server: PostgresServer;
	let database: Client;
	let setup: SetupVariant;
	let secret: string;

	beforeAll(async () => {
		if (binaries === null) throw missing();
		server = await startPostgres(binaries);
		database = await openDatabase(server, "partitions", ["pg_net.sql"]);
		await database.query("create table documents (id bigint primary key)");
		const source = await stage.api.createSource({ kind: "postgres" });
		({ secret } = source);
		setup = await readSetup(stage.api, source, "pg_net");
	});
	afterAll(async () => {
		await database?.end();
		await server?.stop();
	});

	beforeEach(async () => {
		await database.query(TABLES);
		await install(database, setup, { secret, isStoodIn: true });
	});

	test.each([
		["the whole", ["scans"]],
		["the whole twice", ["scans", "scans"]],
		["a part, then the whole", ["y2025", "scans"]],
		["the whole, then a part", ["scans", "y2025"]],
		["all parts, then the whole, then all parts", [...PARTS, "scans", ...PARTS]],
		["from the leaves up", [...PARTS.toReversed(), "scans"]],
		["all parts, and never the whole", PARTS],
		["a part of parts before its own, and after them", ["y2026", "y2026_north", "y2025", "y2026"]],
	])("%s: each change once", async (_order, tables) => {
		for (const table of tables) await watch(table);
		await database.query(`insert into app.scans values ${ROWS}`);
		await database.query("update app.scans set clinic = clinic; delete from app.scans");
		expect(await queued()).toEqual(EVERYTHING);
	});

	test("a part alone is all that is sent, as rows of the whole", async () => {
		for (let time = 1; time <= 2; time++) await watch("y2026_south");
		await database.query(`insert into app.scans values ${ROWS}`);
		expect(await queued()).toEqual(["scans INSERT 3"]);
	});

	test("a partition that is created later is watched with the rest", async () => {
		await watch("scans");
		await database.query(`
			create table app.y2027 partition of app.scans for values from ('2027-01-01') to ('2028-01-01');
			select sluice.watch('app.y2027');
			insert into app.scans values (4, '2027-02-03', 'north')`);
		expect(await queued()).toEqual(["scans INSERT 4"]);
	});

	test("a table that was watched becomes a part after unwatch", async () => {
		await database.query(
			"create table app.y2027 (id int, at date, clinic text); select sluice.watch('app.y2027')",
		);
		await watch("scans");
		const attach =
			"alter table app.scans attach partition app.y2027 for values from ('2027-01-01') to ('2028-01-01')";
		await expect(database.query(attach)).rejects.toThrow(/already exists/);
		await database.query(`select sluice.unwatch('app.y2027'); ${attach}`);
		await database.query("insert into app.scans values (4, '2027-02-03', 'north')");
		expect(await queued()).toEqual(["scans INSERT 4"]);
	});

	test("after unwatch neither a table nor its parts send anything; a second unwatch does no harm", async () => {
		for (const table of ["y2025", "scans"]) await watch(table);
		for (let time = 1; time <= 2; time++) await database.query("select sluice.unwatch('app.scans')");
		await database.query(`insert into app.scans values ${ROWS}`);
		expect(await queued()).toEqual([]);
		expect(await triggers()).toEqual([]);
	});

	test("a part cannot be let go alone, and it is said what can", async () => {
		await watch("scans");
		await expect(database.query("select sluice.unwatch('app.y2026_north')")).rejects.toMatchObject({
			message: "app.y2026_north is watched as a part of app.scans",
			hint: "Stop watching the whole: select sluice.unwatch('app.scans');",
		});
	});

	test("a foreign trigger stays, and removing the set-up removes all of ours", async () => {
		await database.query(`
			create or replace function app.other() returns trigger language plpgsql as 'begin return null; end';
			create trigger other after insert on app.scans for each row execute function app.other()`);
		for (const table of ["y2025", "scans", "y2026"]) await watch(table);
		await database.query(setup.remove.code);
		expect(new Set(await triggers())).toEqual(new Set(["other"]));
		await database.query(`insert into app.scans values ${ROWS}`);
		expect(await queued()).toEqual([]);
	});

	async function watch(table: string): Promise<void> {
		await database.query("select sluice.watch($1)", [`app.${table}`]);
	}

	/** What pg_net was given since the last time of asking, in the order of the alphabet. */
	async function queued(): Promise<string[]> {
		const { rows } = await database.query<{ said: string }>(`
			with taken as (delete from net.http_request_queue returning convert_from(body, 'UTF8')::jsonb as body)
			select concat_ws(' ', body ->> 'table', body ->> 'type',
				coalesce(body #>> '{record,id}', body #>> '{old_record,id}')) as said
			from taken order by said`);
		return rows.map(({ said }) => said);
	}

	async function triggers(): Promise<string[]> {
		const { rows } = await database.query<{ name: string }>(
			"select tgname as name from pg_trigger where not tgisinternal and tgrelid <> 'documents'::regclass",
		);
		return rows.map(({ name }) => name);
	}
});

const EVERYTHING = ["DELETE", "INSERT", "UPDATE"].flatMap((operation) =>
	[1, 2, 3].map((id) => `scans ${operation} ${id}`),
);
