/** Starting: closed without a key, and open with one flag and no other step. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PortInUseError } from "../../scripts/port.ts";
import { startRouter } from "../../scripts/router.ts";
import type { Router } from "../../scripts/router.ts";
import { connect, isFinished, unique } from "./api.ts";
import { answerJson } from "./behaviours.ts";
import { setting } from "./setting.ts";
import { until } from "./until.ts";

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

	test("/healthz answers", async () => {
		expect((await fetch(`${router.url}/healthz`)).status).toBe(200);
	});

	test.each([
		["GET", "/v1/sources"],
		["POST", "/v1/events"],
		["POST", "/in/anything"],
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

test("npx wrangler dev with two variables is a working router", async () => {
	const { receiver } = stage;
	const port = await freePort();
	const variables = ["--var", "ADMIN_TOKEN:t", "--var", "ALLOW_PRIVATE_ENDPOINTS:true"];
	// The state goes elsewhere than a developer's own.
	const flags = ["--port", String(port), "--persist-to", join(folder, "plain")];
	const wrangler = spawn("npx", ["wrangler", "dev", ...flags, ...variables], {
		cwd: PROJECT,
		// Every `wrangler dev` of a machine shares a registry; this one is to serve its own queue.
		env: { ...process.env, WRANGLER_REGISTRY_PATH: join(folder, "registry"), WRANGLER_SEND_METRICS: "false" },
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

async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, "close");
	return port;
}
