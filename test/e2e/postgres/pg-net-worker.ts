/**
 * The other half of the stand-in for pg_net: what its background worker does with the queue of pg_net.sql. It takes
 * committed requests in batches, posts each once, whatever comes of it, and writes down how it went.
 */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { Client } from "pg";
import type { ClientConfig } from "pg";

/** As many as pg_net takes at a time, unless it is configured otherwise. */
const BATCH_ROWS = 200;
/** pg_net opens a whole batch at once; a router on the cores of the test shall not meet time-outs from that. */
const MAX_OPEN_POSTS = 25;

export interface PgNetWorker {
	/** What was refused or not answered since the last time of asking: pg_net tells nobody else. */
	failures(): Promise<object[]>;
	/** Sends what is committed, then ends. */
	stop(): Promise<void>;
}

interface QueuedRequest {
	id: string;
	url: string;
	headers: Record<string, string>;
	body: Buffer;
	timeout_milliseconds: number;
}

/** A row of net._http_response; members that are not there are null. */
interface SentRequest {
	id: string;
	status_code?: number | undefined;
	content?: string;
	timed_out: boolean;
	error_msg?: string;
}

/** Serves the database that pg_net.sql was run in. */
export async function startPgNetWorker(connection: ClientConfig): Promise<PgNetWorker> {
	const client = new Client(connection);
	await client.connect();
	let work = Promise.resolve();
	client.on("notification", () => {
		work = work.then(() => emptyQueue(client));
	});
	const log = new Client(connection);
	await log.connect();
	await client.query("listen pg_net");
	return {
		async failures() {
			const { rows } = await log.query<object>(`
				with answered as (delete from net._http_response returning *)
				select status_code, content, error_msg from answered
				where status_code is null or status_code not between 200 and 299`);
			return rows;
		},
		async stop() {
			client.removeAllListeners("notification");
			await work;
			await emptyQueue(client);
			await Promise.all([client.end(), log.end()]);
		},
	};
}

async function emptyQueue(client: Client): Promise<void> {
	for (;;) {
		const batch = await takeBatch(client);
		if (batch.length === 0) return;
		await writeDown(client, await sendAll(batch));
	}
}

/** Deleted before they are sent: what is lost on the way is not sent again. */
async function takeBatch(client: Client): Promise<QueuedRequest[]> {
	const { rows } = await client.query<QueuedRequest>(
		`delete from net.http_request_queue
		where id in (select id from net.http_request_queue order by id limit $1)
		returning id, url, body, timeout_milliseconds,
			(select jsonb_object_agg(key, value) from jsonb_each_text(headers)) as headers`,
		[BATCH_ROWS],
	);
	return rows;
}

/** Each once; what goes wrong is a result too. */
async function sendAll(batch: QueuedRequest[]): Promise<SentRequest[]> {
	const sent: SentRequest[] = [];
	const waiting = batch.values();
	const sendNext = async () => {
		for (const queued of waiting) {
			const outcome = await post(queued).catch((error: Error) => ({
				timed_out: error.name === "AbortError",
				error_msg: error.message,
			}));
			sent.push({ id: queued.id, ...outcome });
		}
	};
	await Promise.all(Array.from({ length: MAX_OPEN_POSTS }, sendNext));
	return sent;
}

async function writeDown(client: Client, sent: SentRequest[]): Promise<void> {
	await client.query(
		`insert into net._http_response (id, status_code, content, timed_out, error_msg)
		select id, status_code, content, timed_out, error_msg
		from jsonb_populate_recordset(null::net._http_response, $1)`,
		[JSON.stringify(sent)],
	);
}

/** Exactly these headers, beside those of the connection, and exactly these bytes; fetch would add its own. */
function post({ url, headers, body, timeout_milliseconds }: QueuedRequest): Promise<Omit<SentRequest, "id">> {
	const signal = AbortSignal.timeout(timeout_milliseconds);
	return new Promise((resolve, reject) => {
		// No connection is kept: one that the server closes at the next request would lose that request.
		const sent = request(url, { method: "POST", headers, signal, agent: false }, (response) => {
			text(response).then(
				(content) => resolve({ status_code: response.statusCode, content, timed_out: false }),
				reject,
			);
		});
		sent.on("error", reject);
		sent.end(body);
	});
}
