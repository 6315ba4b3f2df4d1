/** The set-up where pg_net would never send what it is given: it refuses, says what to do and installs nothing. */
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { setting } from "../support/setting.ts";
import { binaries, install, isRequired, missing, openDatabase, readSetup } from "./install.ts";
import { startPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

const NOT_LOADED = {
	message: "pg_net does not run in this server, so nothing would be sent",
	hint: "Add pg_net to shared_preload_libraries, restart the server, and run this again.",
};
const NOT_SERVED = {
	message: 'pg_net serves the database "postgres", so nothing would be sent from "app"',
	hint: expect.stringContaining(
		`"alter system set pg_net.database_name = 'app'", restart the server`,
	) as string,
};

describe.skipIf(binaries === null && !isRequired).each([
	["with pg_net among the libraries", true],
	["without pg_net among the libraries", false],
])("a server %s", (_what, hasPgNet) => {
	const stage = setting();
	let server: PostgresServer;
	let database: Client;

	beforeAll(async () => {
		if (binaries === null) throw missing();
		server = await startPostgres(binaries, { hasPgNet });
		database = await openDatabase(server, "app", ["pg_net.sql", "supabase_functions.sql"]);
		await database.query("create table documents (id bigint primary key)");
	});
	afterAll(async () => {
		await database?.end();
		await server?.stop();
	});

	afterEach(async () => {
		const { rows } = await database.query(
			"select tgname as left from pg_trigger where not tgisinternal union select nspname from pg_namespace where nspname = 'sluice'",
		);
		expect(rows).toEqual([]);
	});

	const VARIANTS = [
		["postgres", "pg_net"],
		["supabase", "pg_net"],
		["supabase", "database-webhooks"],
	] as const;

	test.each(VARIANTS)("refuses a database that pg_net does not serve: %s by %s", async (kind, name) => {
		await database.query("set pg_net.database_name = 'postgres'");
		expect(await refusalOf(kind, name)).toMatchObject(hasPgNet ? NOT_SERVED : NOT_LOADED);
	});

	test('an older pg_net, which has no setting for it, serves "postgres"', async () => {
		await database.query("alter database app reset pg_net.database_name");
		const session = new Client({ ...server.connection, database: "app" });
		await session.connect();
		expect(await refusalOf("postgres", "pg_net", session)).toMatchObject(hasPgNet ? NOT_SERVED : NOT_LOADED);
		await session.end();
	});

	// Only where there is a pg_net whose settings could tell.
	if (hasPgNet) {
		test("a role that may not see the libraries goes by the settings of pg_net", async () => {
			await database.query(`
				reset all; set pg_net.database_name = 'app';
				create extension pgcrypto; create role installer; grant create on database app to installer;
				alter table documents owner to installer; set role installer`);
			const libraries = "select from pg_settings where name = 'shared_preload_libraries'";
			expect((await database.query(libraries)).rowCount).toBe(0);
			const setup = await setUp("postgres", "pg_net");
			await setup(database);
			await database.query("drop schema sluice cascade; reset role");
		});
	}

	async function setUp(kind: string, name: string): Promise<(client: Client) => Promise<void>> {
		const source = await stage.api.createSource({ kind });
		const setup = await readSetup(stage.api, source, name);
		return (client) => install(client, setup, { secret: source.secret, isStoodIn: true });
	}

	/** What the set-up raises. */
	async function refusalOf(kind: string, name: string, client = database): Promise<unknown> {
		const setup = await setUp(kind, name);
		const refusal = await setup(client).then(
			() => null,
			(error: unknown) => error,
		);
		await client.query("rollback");
		return refusal;
	}
});
