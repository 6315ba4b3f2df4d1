/**
 * What README.md says about databases, done as it stands there: its lines make a source and install its SQL in a real
 * PostgreSQL, and each row arrives at a model as the database wrote it. What the SQL does beyond that, the suites
 * beside this one show. Skipped where no server is installed, unless SLUICE_REQUIRE_POSTGRES=1 says that it must
 * not be.
 */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { unique } from "../support/api.ts";
import { answer } from "../support/behaviours.ts";
import type { Model, ReceivedRequest } from "../support/receiver.ts";
import { ROOT_KEY } from "../support/router.setup.ts";
import { setting } from "../support/setting.ts";
import { until } from "../support/until.ts";
import { startPgNetWorker } from "./pg-net-worker.ts";
import type { PgNetWorker } from "./pg-net-worker.ts";
import { findPostgres, startPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

const run = promisify(execFile);
const binaries = findPostgres();
const isRequired = process.env["SLUICE_REQUIRE_POSTGRES"] === "1";
const readme = readReadme(await readFile(join(import.meta.dirname, "../../../README.md"), "utf8"));

/** The first integer that a JSON number of JavaScript cannot hold, and the largest bigint. */
const BIG_IDS = ["9007199254740993", "9223372036854775807"];
/** Everything that an escape on the way would spoil. */
const TITLE = `quote ' double " back\\slash \\n percent %s dollar $HOME \`id\` tab\t newline\n é € 😀`;

describe.skipIf(binaries === null && !isRequired)("a PostgreSQL database, set up by the README", () => {
	const stage = setting();
	const name = unique("documents-db");
	let server: PostgresServer;
	let database: Client;
	let worker: PgNetWorker;
	let model: Model;

	beforeAll(async () => {
		if (binaries === null)
			throw new Error("SLUICE_REQUIRE_POSTGRES is set, but no PostgreSQL server was found.");
		server = await startPostgres(binaries);
		database = new Client(server.connection);
		await database.connect();
		await database.query(await readFile(join(import.meta.dirname, "pg_net.sql"), "utf8"));
		worker = await startPgNetWorker(server.connection);
		const columns = "(id bigint primary key, title text, score numeric, tags jsonb)";
		await database.query(`create table documents ${columns}; create table orders ${columns}`);
		await paste([readme.defineApi, readme.createSource, readme.install]);
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
		await api.createSubscription({ endpoint: endpoint.id, source: name });
		await database.query("truncate documents, orders");
	});

	afterEach(async () => {
		expect(await worker.failures()).toEqual([]);
	});

	test.each(BIG_IDS)("INSERT, UPDATE and DELETE of row %s arrive byte for byte", async (id) => {
		await database.query("insert into documents values ($1, $2, 1.50, '{\"a\": 1e2}')", [id, TITLE]);
		const inserted = await requestFor("public.documents.insert");
		await database.query("update documents set score = 12345678901234567890.10 where id = $1", [id]);
		const updated = await requestFor("public.documents.update");
		await database.query("delete from documents where id = $1", [id]);
		const deleted = await requestFor("public.documents.delete");

		const before = `{"id": ${id}, "tags": {"a": 100}, "score": 1.50, "title": ${inPostgresJson(TITLE)}}`;
		const after = before.replace("1.50", "12345678901234567890.10");
		expect(rowsOf(inserted)).toBe(`"record": ${before}, "schema": "public", "old_record": null}`);
		expect(rowsOf(updated)).toBe(`"record": ${after}, "schema": "public", "old_record": ${before}}`);
		expect(rowsOf(deleted)).toBe(`"record": null, "schema": "public", "old_record": ${after}}`);
		expect(model.requests).toHaveLength(3);
	});

	test("another table is watched after sluice.watch", async () => {
		await database.query("insert into orders (id) values (1)");
		await database.query(readme.watch);
		await database.query("insert into orders (id) values (2)");
		expect((await requestFor("public.orders.insert")).headers["ce-subject"]).toBe("orders/2");
		expect(model.requests).toHaveLength(1);
	});

	test("the lines can be run again, also after they stopped half-way", async () => {
		// The source is there, its secret was shown and is lost, and the database has half of what it needs.
		await database.query("drop table sluice.target cascade; drop function sluice.watch");
		expect(await paste([readme.defineApi, readme.createSource, readme.install])).toContain("name_taken");
		await paste([readme.defineApi, readme.createSource, readme.install]);
		await database.query("insert into documents (id) values (3)");
		await requestFor("public.documents.insert");
		expect(model.requests).toHaveLength(1);
	});

	test("no rows: one query says where to look", async () => {
		const ok = await look();
		expect(ok).toMatch(new RegExp(`sends to +\\| ${inject("routerUrl")}/in/${name}`));
		expect(ok).toMatch(/watches +\| .*documents \(enabled\)/);
		expect(ok).toMatch(/waiting to be sent +\| 0/);
		expect(ok).toContain("none that pg_net still knows");
		// The tests bring pg_net's tables, and not the extension.
		expect(ok).toContain("missing: create extension pg_net;");

		await database.query("alter table documents disable trigger sluice");
		expect(await look()).toContain("documents (disabled: alter table ... enable trigger sluice;)");
		await database.query("alter table documents enable replica trigger sluice");
		expect(await look()).toContain("documents (in replicas only");
		await database.query("alter table documents enable trigger sluice");

		await database.query("update sluice.target set url = url || '-nobody'");
		await database.query("insert into documents (id) values (6)");
		await until("the refusal", async () => ((await look()).includes(": 404") ? true : null));
		await worker.failures();
		await database.query("update sluice.target set url = replace(url, '-nobody', '')");
		await database.query("select sluice.unwatch('documents'); select sluice.unwatch('orders')");
		expect(await look()).toContain("no table: select sluice.watch(");
		await database.query("select sluice.watch('documents')");
	});

	test("a wrong secret is refused, and stores nothing", async () => {
		const stranger = await stage.api.createSource({ kind: "postgres" });
		await database.query("update sluice.target set url = $1", [stranger.ingest_url]);
		await database.query("insert into documents (id) values (4)");

		const failures = await until("the refusal", async () => {
			const found = await worker.failures();
			return found.length === 0 ? null : found;
		});

		const content = expect.stringContaining('"code":"unauthorized"') as string;
		expect(failures).toEqual([{ status_code: 401, content, error_msg: null }]);
		expect(await stage.api.must("GET", `/v1/events?source=${stranger.name}`)).toMatchObject({ data: [] });
	});

	test("removed, it leaves nothing behind", async () => {
		await database.query(readme.remove);
		await database.query("insert into documents (id) values (5); delete from documents");
		const { rows } = await database.query(
			"select tgname as left from pg_trigger where not tgisinternal union select nspname from pg_namespace where nspname = 'sluice'",
		);
		expect(rows).toEqual([]);
	});

	function look(): Promise<string> {
		return paste([readme.defineApi, readme.lookHere]);
	}

	/**
	 * Runs lines of the README in a shell, with the source's name made unique and the one extension not turned on
	 * that is stood in for. Answers all that they print.
	 */
	async function paste(lines: string[]): Promise<string> {
		const script = lines
			.join("\n")
			.replaceAll("documents-db", name)
			.replace("| psql", "| sed '/^create extension if not exists pg_net;$/d' | psql");
		const { host, user, database } = server.connection;
		// Through a pipe, because /dev/stderr cannot be opened where it is the socket that Node makes of it.
		const { stdout } = await run("bash", ["--norc", "-c", `set -o pipefail; {\n${script}\n} 2>&1 | cat`], {
			env: {
				PATH: [dirname(process.execPath), process.env["PATH"], binaries].join(delimiter),
				SLUICE: inject("routerUrl"),
				TOKEN: ROOT_KEY,
				DATABASE_URL: `postgresql:///${database}?host=${encodeURIComponent(host)}&user=${user}`,
			},
		});
		return stdout;
	}

	function requestFor(type: string): Promise<ReceivedRequest> {
		return model.request(({ headers }) => headers["ce-type"] === type);
	}
});

/** What a message says of the row: jsonb orders keys by length, then by name. */
function rowsOf({ text }: ReceivedRequest): string {
	return text.slice(text.indexOf('"record": '));
}

/** jsonb escapes as JSON.stringify does, and leaves everything beyond ASCII as it is. */
function inPostgresJson(text: string): string {
	return JSON.stringify(text);
}

/** The pieces that a reader runs. */
function readReadme(text: string) {
	const section = text.split("\n## ").find((part) => part.startsWith("Your database\n")) ?? "";
	return {
		defineApi: only(text, /^(api\(\) \{.*?; \})$/gms),
		createSource: only(section, /^```sh\n(api [^\n]*\nSECRET=[^\n]*)$/gm),
		install: only(section, /^SECRET=[^\n]*\n(.*?)^```$/gms),
		lookHere: only(section, /^```sh\n(api [^\n]*\n[^\n]*No rows.*?)^```$/gms),
		watch: only(section, /`(select sluice\.watch\([^`]+)`/g),
		remove: only(section, /To remove it: `([^`]+)`/g),
	};
}

/** The one piece that matches. */
function only(text: string, pattern: RegExp): string {
	const found = [...text.matchAll(pattern)].map(([, captured]) => captured);
	if (found.length !== 1 || found[0] === undefined)
		throw new Error(`README.md has ${found.length} pieces like ${pattern}, not one.`);
	return found[0];
}
