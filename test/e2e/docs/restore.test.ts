/**
 * docs/operations.md, "Put lost rows back", with a local database in place of Cloudflare's: what a restore lost is taken from
 * the export, and both the delivery that waited and new events reach the model, with its credentials.
 */
import { execFile } from "node:child_process";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startRouter, type Router } from "../../../scripts/router.ts";
import { connect, unique, type Api } from "../support/api.ts";
import { startReceiver, type Receiver } from "../support/receiver.ts";
import { until } from "../support/until.ts";
import { blocksOf, PROJECT } from "./markdown.ts";

const TOKEN = "restore-root-key";
const WRANGLER = join(PROJECT, "node_modules/wrangler/bin/wrangler.js");

let folder: string;
let router: Router;
let receiver: Receiver;
let api: Api;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "sluice-restore-"));
	await copyFile(join(PROJECT, "wrangler.toml"), join(folder, "wrangler.toml"));
	receiver = await startReceiver();
	const vars = { ADMIN_TOKEN: TOKEN, ALLOW_PRIVATE_ENDPOINTS: "true", ROUTING_MAX_AGE_MS: "0" };
	// Where wrangler looks for the database of the configuration beside it.
	router = await startRouter({ port: 0, vars, persistTo: join(folder, ".wrangler/state") });
	api = connect(router.url, TOKEN);
});

afterAll(async () => {
	await router?.stop();
	await receiver?.close();
	await rm(folder, { recursive: true, force: true });
});

async function d1(...args: string[]): Promise<void> {
	await promisify(execFile)(process.execPath, [WRANGLER, "d1", ...args, "--local"], {
		cwd: folder,
		env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_WRITE_LOGS: "false" },
	});
}

async function exportTo(name: string): Promise<string> {
	await d1("export", "DB", "--output", name);
	return readFile(join(folder, name), "utf8");
}

async function execute(name: string, sql: string): Promise<void> {
	await writeFile(join(folder, name), sql);
	await d1("execute", "DB", "--file", name);
}

test("what waits for lost rows is delivered once they are back, and new events too", async () => {
	const [refresh = ""] = blocksOf(await readFile(join(PROJECT, "docs/operations.md"), "utf8"), "sql").map(
		({ code }) => code,
	);
	await api.must("GET", "/v1/sources");
	const former = await exportTo("former.sql");
	const model = receiver.model((response) => response.writeHead(503).end());
	const endpoint = await api.createEndpoint({
		name: unique("lost"),
		url: model.url,
		auth: { type: "bearer", token: "model-token" },
	});
	const type = unique("page");
	const subscription = await api.createSubscription({ endpoint: endpoint.id, types: [type] });
	await api.publish({ type, data: { n: 1 } });
	await model.received(1);
	const before = await exportTo("before-restore.sql");

	const tables = [...former.matchAll(/^CREATE TABLE (\w+)/gm)].map(([, table]) => `DROP TABLE ${table};\n`);
	await execute("restore.sql", tables.join("") + former);
	const unrouted = await api.publish({ type, data: { n: 2 } });
	await until("the event to be routed", async () => {
		return (await api.ask("GET", `/v1/events/${unrouted}`)).status === 200 || null;
	});
	expect((await api.must<{ data: unknown[] }>("GET", `/v1/deliveries?event=${unrouted}`)).data).toEqual([]);

	const lost = before
		.split("\n")
		.filter((line) => /^INSERT INTO "(?:endpoints|subscriptions)"/.test(line))
		.filter((line) => line.includes(`('${endpoint.id}'`) || line.includes(`('${subscription.id}'`));
	expect(lost).toHaveLength(2);
	await execute("lost.sql", [...lost, refresh].join("\n"));
	model.behave((response) => response.writeHead(200).end());
	await api.must("GET", `/v1/endpoints/${endpoint.id}/health`);
	await api.publish({ type, data: { n: 3 } });
	for (const n of [1, 3]) {
		const delivery = await until(`the delivery of event ${n}`, async () => {
			const sent = model.requests.filter(({ text }) => text.includes(`"n":${n}`));
			return sent.at(-1) ?? null;
		});
		expect(delivery.headers.authorization).toBe("Bearer model-token");
	}
	await until("no delivery to wait", async () => {
		const { data } = await api.must<{ data: { status: string }[] }>(
			"GET",
			`/v1/deliveries?endpoint=${endpoint.id}`,
		);
		return data.length === 2 && data.every(({ status }) => status === "succeeded") ? true : null;
	});
});
