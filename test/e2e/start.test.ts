/** Starting: closed without a key, and open with one flag and no other step. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PortInUseError } from "../../scripts/port.ts";
import { startRouter } from "../../scripts/router.ts";
import type { Router } from "../../scripts/router.ts";
import { StateInUseError } from "../../scripts/state-lock.ts";
import { connect, isFinished, unique } from "./support/api.ts";
import { answerJson } from "./support/behaviours.ts";
import { freePort } from "./support/free-port.ts";
import { setting } from "./support/setting.ts";
import { until } from "./support/until.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
const stage = setting();

let folder: string;
beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "sluice-start-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("without ADMIN_TOKEN", () => {
	let router: Router;
	beforeAll(async () => {
		router = await startRouter({ port: 0, vars: {}, persistTo: join(folder, "closed") });
	});
	afterAll(() => router.stop());

	test("/healthz responds", async () => {
		expect((await fetch(`${router.url}/healthz`)).status).toBe(200);
	});

	test.each([
		["GET", "/v1/sources"],
		["POST", "/v1/events"],
		["POST", "/in/anything"],
		["GET", "/openapi.json"],
		["GET", "/docs"],
	])("%s %s is closed and says how to open it", async (method, path) => {
		for (const authorization of ["Bearer ", "Bearer undefined", "Bearer null"]) {
			const response = await fetch(router.url + path, { method, headers: { authorization } });
			expect(response.status).toBe(503);
			expect(await response.json()).toMatchObject({ detail: expect.stringContaining("ADMIN_TOKEN") });
		}
	});
});

test("a port that is taken is said to be, before anything starts", async () => {
	const { receiver } = stage;
	const port = Number(new URL(receiver.model(answerJson("{}")).url).port);
	const starting = startRouter({ port, vars: {}, persistTo: join(folder, "taken") });
	await expect(starting).rejects.toThrow(PortInUseError);
	await expect(starting).rejects.toThrow(String(port));
});

describe("a state folder has one router at a time", () => {
	test("a second router is refused before anything starts, with instructions", async () => {
		const state = join(folder, "shared");
		const first = await startRouter({ port: 0, vars: {}, persistTo: state });
		try {
			const starting = startRouter({ port: 0, vars: {}, persistTo: state });
			await expect(starting).rejects.toThrow(StateInUseError);
			await expect(starting).rejects.toThrow(`process ${process.pid}`);
			const { code, output } = await runToEnd(startDev(state));
			expect(code).toBe(1);
			expect(output).toContain("--state <folder> --port <number>");
			expect((await fetch(`${first.url}/healthz`)).status).toBe(200);
		} finally {
			await first.stop();
		}
		const next = await startRouter({ port: 0, vars: {}, persistTo: state });
		await next.stop();
	});

	test("a killed router leaves nothing running, and nothing that blocks the next one", async () => {
		const state = join(folder, "killed");
		const dev = startDev(state);
		const url = await until(
			"the router to be up",
			() => /http:\/\/[^/]+(?=\/healthz)/.exec(dev.output())?.[0] ?? null,
		);
		dev.process.kill("SIGKILL");
		await dev.exited;
		await until("what it started to end", () =>
			fetch(`${url}/healthz`).then(
				() => null,
				() => true,
			),
		);
		const next = await startRouter({ port: 0, vars: {}, persistTo: state });
		await next.stop();
	});
});

test("npm run dev -- --json prints the log as it is, and nothing else where the log is", async () => {
	const dev = startDev(join(folder, "json"), "--json");
	const url = await until(
		"the router to be up",
		() => /http:\/\/[^/]+(?=\/healthz)/.exec(dev.output())?.[0] ?? null,
	);
	await fetch(`${url}/in/nobody`, { method: "POST", body: "{}" });
	await until("the refusal", () => (dev.stdout().includes('"ingest.refused"') ? true : null));
	dev.process.kill("SIGTERM");
	await dev.exited;
	const lines = dev.stdout().trim().split("\n");
	expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
		expect.objectContaining({ event: "ingest.refused", source: "nobody", status: 404 }),
	);
	expect(dev.output()).toContain("Sluice is up.");
});

test("npx wrangler dev with two variables is a working router", async () => {
	const { receiver } = stage;
	const port = await freePort();
	const variables = ["--var", "ADMIN_TOKEN:t", "--var", "ALLOW_PRIVATE_ENDPOINTS:true"];
	// The state goes elsewhere than a developer's own.
	const flags = ["--port", String(port), "--persist-to", join(folder, "plain")];
	const wrangler = spawn("npx", ["wrangler", "dev", ...flags, ...variables], {
		cwd: PROJECT,
		// Every `wrangler dev` of a machine shares a registry; this one is to serve its own queue.
		env: {
			...process.env,
			WRANGLER_REGISTRY_PATH: join(folder, "registry"),
			WRANGLER_SEND_METRICS: "false",
			X_LOCAL_OBSERVABILITY: "false",
		},
		stdio: "ignore",
		// A group of its own: npx, wrangler and workerd end together.
		detached: true,
	});
	try {
		const api = connect(`http://127.0.0.1:${port}`, "t");
		await until("the router to answer", async () => {
			const health = await fetch(`${api.origin}/healthz`).catch(() => null);
			return health?.status === 200 || null;
		});
		const model = receiver.model(answerJson('{"ok":true}'));
		const type = unique("scan");
		const endpoint = await api.createEndpoint({ url: model.url });
		await api.createSubscription({ endpoint: endpoint.id, types: [type] });
		const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);
		expect(delivery).toMatchObject({ status: "succeeded", result: { ok: true } });
	} finally {
		const ended = once(wrangler, "exit");
		if (wrangler.pid !== undefined) process.kill(-wrangler.pid, "SIGTERM");
		await ended;
	}
});

/** `npm run dev` on a free port. */
function startDev(state: string, ...flags: string[]) {
	const script = join(PROJECT, "scripts", "dev.ts");
	const dev = spawn(process.execPath, [script, "--port", "0", "--state", state, ...flags]);
	let stdout = "";
	let output = "";
	dev.stdout.on("data", (chunk) => (stdout += String(chunk)));
	for (const stream of [dev.stdout, dev.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
	return { process: dev, stdout: () => stdout, output: () => output, exited: once(dev, "close") };
}

async function runToEnd({ output, exited }: ReturnType<typeof startDev>) {
	const [code] = await exited;
	return { code: code as unknown, output: output() };
}
