/** What the suites here rely on when they take the stand-in for pg_net. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answer, hang } from "../support/behaviours.ts";
import { startReceiver } from "../support/receiver.ts";
import type { Receiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import { PATIENCE_MS } from "../../patience.ts";
import { startPgNetWorker } from "./pg-net-worker.ts";
import type { PgNetWorker } from "./pg-net-worker.ts";
import { findPostgres, startPostgres } from "./server.ts";
import type { PostgresServer } from "./server.ts";

const binaries = findPostgres();
const isRequired = process.env["SLUICE_REQUIRE_POSTGRES"] === "1";

describe.skipIf(binaries === null && !isRequired)("the stand-in for pg_net", () => {
	let server: PostgresServer;
	let database: Client;
	let worker: PgNetWorker;
	let receiver: Receiver;

	beforeAll(async () => {
		if (binaries === null)
			throw new Error("SLUICE_REQUIRE_POSTGRES is set, but no PostgreSQL server was found.");
		receiver = await startReceiver();
		server = await startPostgres(binaries);
		database = new Client(server.connection);
		await database.connect();
		await database.query(await readFile(join(import.meta.dirname, "pg_net.sql"), "utf8"));
	});

	beforeEach(async () => {
		worker = await startPgNetWorker(server.connection);
	});
	afterEach(() => worker.stop());

	afterAll(async () => {
		await database?.end();
		await server?.stop();
		await receiver?.close();
	});

	test("sends the text of the jsonb value, and the headers as they are", async () => {
		const target = receiver.model(answer(204));
		await post(target.url, '{"b": 1.50, "a": [1e2, "é 😀 \\\\"]}', {
			headers: '{"X-Number": 9007199254740993, "Content-Type": "application/json"}',
		});
		const { method, text, headers } = await target.request();
		expect(method).toBe("POST");
		expect(text).toBe('{"a": [100, "é 😀 \\\\"], "b": 1.50}');
		expect(headers).toEqual({
			"x-number": "9007199254740993",
			"content-type": "application/json",
			"content-length": String(Buffer.byteLength(text)),
			host: new URL(target.url).host,
			connection: expect.any(String),
		});
	});

	test("sends after the commit, and nothing of what is rolled back", async () => {
		const target = receiver.model(answer(204));
		await database.query("begin");
		await post(target.url, '"undone"');
		await database.query("rollback; begin");
		await post(target.url, '"kept"');
		expect(target.requests).toEqual([]);
		await database.query("commit");
		await worker.stop();
		expect(target.requests.map(({ text }) => text)).toEqual(['"kept"']);
		worker = await startPgNetWorker(server.connection);
	});

	test("sends once, whatever the response, and records it", async () => {
		const target = receiver.model(answer(503, "later"), hang);
		const refused = await post(target.url, "{}");
		expect(await response(refused)).toMatchObject({ status_code: 503, content: "later", timed_out: false });
		const hanging = await post(target.url, "{}", { timeoutMs: 50 });
		expect(await response(hanging)).toMatchObject({ status_code: null, timed_out: true });
		const lost = await post("http://127.0.0.1:1/", "{}");
		expect(await response(lost)).toMatchObject({ error_msg: expect.stringContaining("ECONNREFUSED") });
		expect(target.requests).toHaveLength(2);
		expect((await database.query("select from net.http_request_queue")).rowCount).toBe(0);
	});

	test("takes no other content type", async () => {
		const posted = post("http://127.0.0.1:1/", "{}", {
			headers: '{"content-type": "application/json; charset=utf-8"}',
		});
		await expect(posted).rejects.toThrow('Content-Type header must be "application/json"');
	});

	/** The id of the request. */
	async function post(
		url: string,
		body: string,
		{ headers = "{}", timeoutMs = PATIENCE_MS } = {},
	): Promise<string> {
		const { rows } = await database.query<{ id: string }>(
			"select net.http_post($1, $2, headers := $3, timeout_milliseconds := $4) as id",
			[url, body, headers, timeoutMs],
		);
		return String(rows[0]?.id);
	}

	function response(id: string): Promise<unknown> {
		return until(`the response to request ${id}`, async () => {
			const { rows } = await database.query("select * from net._http_response where id = $1", [id]);
			return (rows[0] as unknown) ?? null;
		});
	}
});
