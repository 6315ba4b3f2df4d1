/**
 * A message that the router fails on again and again, with a real queue that gives it up: it is stored, can be read, sent
 * once more and deleted. In Miniflare, because the queue is to give up after one retry and not after a hundred. The queues
 * have the names of a second router in the account.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type V4WorkerOptions } from "miniflare";
import { afterAll, beforeAll, expect, test } from "vitest";
import { unstable_getMiniflareWorkerOptions as readWorkerOptions } from "wrangler";
import { connect, unique, type Api } from "./support/api.ts";
import { bundledModules } from "./support/bundled-modules.ts";
import { until } from "./support/until.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
const CONFIG = join(PROJECT, "wrangler.toml");
const TOKEN = "dead-letters-key";
const [EVENTS, EVENTS_DLQ] = ["sluice-events-staging", "sluice-events-staging-dlq"];
const POISON = "no segment of any release";

let folder: string;
let miniflare: Miniflare;
let url: string;
let api: Api;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "sluice-dead-letters-"));
	const wrangler = join(PROJECT, "node_modules", "wrangler", "bin", "wrangler.js");
	await promisify(execFile)(
		process.execPath,
		[wrangler, "deploy", "--dry-run", "--config", CONFIG, "--outdir", join(folder, "bundle")],
		{ cwd: PROJECT, env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true" } },
	);
	const bundle = join(folder, "bundle");
	const { modulesRules: _, ...bindings } = readWorkerOptions(CONFIG).workerOptions;
	const worker: V4WorkerOptions = {
		...bindings,
		name: "router",
		modules: await bundledModules(bundle, "worker.js"),
		modulesRoot: bundle,
		bindings: { ADMIN_TOKEN: TOKEN },
		queueProducers: { EVENTS: { queueName: EVENTS }, EVENTS_DLQ: { queueName: EVENTS_DLQ } },
		queueConsumers: {
			[EVENTS]: { maxBatchSize: 100, maxBatchTimeout: 0, maxRetries: 1, deadLetterQueue: EVENTS_DLQ },
			[EVENTS_DLQ]: { maxBatchSize: 20, maxBatchTimeout: 0, maxRetries: 100 },
		},
		unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
	};
	miniflare = new Miniflare(
		convertV4MiniflareOptions({
			workers: [worker],
			log: new Log(LogLevel.ERROR),
			handleStructuredLogs: () => {},
			resourcePersistencePath: join(folder, "state"),
		}),
	);
	url = (await miniflare.unsafeGetDirectURL("router")).origin;
	api = connect(url, TOKEN);
});

afterAll(async () => {
	await miniflare.dispose();
	await rm(folder, { recursive: true, force: true });
});

interface Letter {
	id: string;
	error: { code: string; message: string };
	body?: string;
}

async function ask(method: string, path: string): Promise<{ status: number; body: unknown }> {
	const response = await fetch(url + path, { method, headers: { authorization: `Bearer ${TOKEN}` } });
	const text = await response.text();
	return { status: response.status, body: text === "" ? null : JSON.parse(text) };
}

function whenKept(except: string | null): Promise<Letter> {
	return until("the message to be given up and stored", async () => {
		const { body } = await ask("GET", "/v1/dead-letters");
		return (body as { data: Letter[] }).data.find(({ id }) => id !== except) ?? null;
	});
}

test("a poisoned message is given up, stored and sent once more, and blocks no other message", async () => {
	const queue = await miniflare.getQueueProducer<string>("EVENTS", "router");
	await queue.send(POISON, { contentType: "text" });
	const event = await api.publish({ type: unique("scan"), data: {} });
	const letter = await whenKept(null);
	expect(letter.error).toMatchObject({ code: "unreadable" });
	expect(await ask("GET", `/v1/dead-letters/${letter.id}`)).toMatchObject({
		status: 200,
		body: { id: letter.id, body_type: "text", body: POISON, event_ids: [] },
	});
	await until("its neighbour to be routed", async () => {
		return (await ask("GET", `/v1/events/${event}`)).status === 200 || null;
	});

	expect((await ask("POST", `/v1/dead-letters/${letter.id}/retry`)).status).toBe(202);
	const again = await whenKept(letter.id);
	expect((await ask("GET", `/v1/dead-letters/${letter.id}`)).status).toBe(404);
	expect((await ask("DELETE", `/v1/dead-letters/${again.id}`)).status).toBe(204);
	expect(await ask("GET", "/v1/dead-letters")).toMatchObject({ body: { data: [], next_cursor: null } });
});

test("messages of every form are kept as they were, sent again as they were, and in the audit log", async () => {
	const queue = await miniflare.getQueueProducer("EVENTS", "router");
	const newer = '{"v":2,"events":[]}\na newer release';
	const other = '{"v":1,"spilled":{"log":"a reference of another form"}}';
	const given = [
		["text", newer, newer],
		["text", other, other],
		["json", { v: 1, events: [] }, '{"v":1,"events":[]}'],
		["bytes", new Uint8Array([0, 255, 1]), "AP8B"],
	] as const;
	for (const [contentType, body] of given) await queue.send(body, { contentType });
	const forms = given.map(([type, , text]) => `${type} ${text}`);
	const letters = await kept(forms, []);
	// Twice at once: each is sent at least once, and its letter removed.
	const answers = await Promise.all(
		[...letters, ...letters].map(({ id }) => ask("POST", `/v1/dead-letters/${id}/retry`)),
	);
	expect(answers.filter(({ status }) => status !== 202 && status !== 404)).toEqual([]);
	await kept(
		forms,
		letters.map(({ id }) => id),
	);
	const { body: audit } = await ask("GET", "/v1/audit?resource=dead_letter");
	const told = (audit as { data: { action: string; resource_id: string }[] }).data.map(
		({ action, resource_id }) => `${action} ${resource_id}`,
	);
	expect(told).toEqual(expect.arrayContaining(letters.map(({ id }) => `retry ${id}`)));
});

/** The letters, when there is one of each form under another id than these. */
function kept(forms: readonly string[], except: readonly string[]): Promise<Letter[]> {
	return until("all messages to be given up and stored", async () => {
		const { body } = await ask("GET", "/v1/dead-letters");
		const found = (body as { data: Letter[] }).data.filter(({ id }) => !except.includes(id));
		const whole = await Promise.all(found.map(({ id }) => ask("GET", `/v1/dead-letters/${id}`)));
		const told = whole.map((one) => one.body as Letter & { body_type: string });
		const seen = told.map(({ body_type, body: text }) => `${body_type} ${text}`);
		return forms.every((form) => seen.includes(form)) ? found : null;
	});
}
