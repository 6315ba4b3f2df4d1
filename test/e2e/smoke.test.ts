/** `npm run smoke`: it passes on a router that works, says what is wrong with one that does not, and leaves nothing behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, expect, test } from "vitest";
import { startRouter } from "../../scripts/router.ts";
import { answer } from "./support/behaviours.ts";
import { ROOT_KEY } from "./support/router.setup.ts";
import { setting } from "./support/setting.ts";
import { until } from "./support/until.ts";

const PROJECT = join(import.meta.dirname, "..", "..");
const stage = setting();

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

function start(url: string, token: string, ...args: string[]) {
	const child = spawn(process.execPath, [join(PROJECT, "scripts/smoke.ts"), url, ...args], {
		env: { ...process.env, SLUICE_TOKEN: token, NO_COLOR: "1" },
	});
	let output = "";
	for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += String(text)));
	const ended = once(child, "close").then(([code]) => ({ code: code as number | null, output }));
	return { child, ended, output: () => output };
}

async function smoke(url: string, token: string, ...args: string[]) {
	return start(url, token, ...args).ended;
}

type Own = { status: number; body: unknown } | "hang" | null;

/** The shared router behind a server that answers some requests itself. */
async function before(
	answer: (method: string, path: string, body: string) => Own | Promise<Own>,
): Promise<string> {
	const server = createServer((incoming, outgoing) => {
		void respond(incoming, outgoing).catch(() => outgoing.destroy());
	});
	async function respond(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
		const { method = "GET", url = "/" } = incoming;
		const body = Buffer.concat(await Array.fromAsync(incoming as AsyncIterable<Buffer>));
		const own = await answer(method, url, body.toString());
		if (own === "hang") return;
		if (own !== null) {
			outgoing.writeHead(own.status, { "content-type": "application/json" });
			outgoing.end(typeof own.body === "string" ? own.body : JSON.stringify(own.body));
			return;
		}
		const { host: _, connection: __, "content-length": ___, ...headers } = incoming.headers;
		const response = await fetch(stage.api.origin + url, {
			method,
			headers: headers as Record<string, string>,
			...(body.length > 0 && { body: new Uint8Array(body) }),
		});
		outgoing.writeHead(response.status, { "content-type": response.headers.get("content-type") ?? "" });
		outgoing.end(Buffer.from(await response.arrayBuffer()));
	}
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	closing.push(() => {
		server.closeAllConnections();
		server.close();
	});
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function leftBehind(): Promise<string[]> {
	const names: string[] = [];
	for (const resource of ["sources", "endpoints", "subscriptions"]) {
		const { data } = await stage.api.must<{ data: { name: string }[] }>("GET", `/v1/${resource}?limit=200`);
		names.push(...data.map(({ name }) => name).filter((name) => name.startsWith("smoke-")));
	}
	return names;
}

test("a working router: every step passes, the exit code is 0, and nothing is left behind", async () => {
	const { code, output } = await smoke(stage.api.origin, ROOT_KEY);
	expect(output).toContain("it arrived unchanged");
	expect(output).toContain("The router works.");
	expect(output).not.toContain(ROOT_KEY);
	expect(code).toBe(0);
	expect(await leftBehind()).toEqual([]);
});

test("a subscription that names no source is not troubled, and its model not run", async () => {
	const name = "takes-everything";
	await stage.api.must("POST", "/v1/endpoints", { name, url: stage.receiver.model(answer(204)).url });
	// Names no source. The types keep out what the other suites send through the same router.
	await stage.api.must("POST", "/v1/subscriptions", { name, endpoint: name, types: ["smoke.*"] });
	closing.push(
		() => stage.api.must("DELETE", `/v1/endpoints/${name}@1`),
		() => stage.api.must("DELETE", `/v1/subscriptions/${name}`),
	);
	closing.reverse();
	expect(await smoke(stage.api.origin, ROOT_KEY)).toMatchObject({ code: 0 });
	const { data } = await stage.api.must<{ data: unknown[] }>("GET", `/v1/deliveries?endpoint=${name}@1`);
	expect(data).toEqual([]);
});

test("a router of an earlier release, which knows no test sources, is tested without them, and it is said", async () => {
	const errors = [{ path: "test", message: "unknown field" }];
	const body = { code: "invalid_request", detail: "Not valid: test.", errors };
	const url = await before((method, path, sent) =>
		method === "POST" && path === "/v1/sources" && sent.includes('"test"') ? { status: 422, body } : null,
	);
	const { code, output } = await smoke(url, ROOT_KEY);
	expect(output).toContain("This router has no test sources");
	expect(output).toContain("The router works.");
	expect(code).toBe(0);
	expect(await leftBehind()).toEqual([]);
});

test("a wrong token", async () => {
	const { code, output } = await smoke(stage.api.origin, "a-wrong-token");
	expect(code).toBe(1);
	expect(output).toContain("does not know the token in SLUICE_TOKEN");
	expect(output).not.toContain("a-wrong-token");
});

test("a router without a root key", async () => {
	const folder = await mkdtemp(join(tmpdir(), "sluice-smoke-"));
	const router = await startRouter({ port: 0, vars: {}, persistTo: folder });
	closing.push(async () => {
		await router.stop();
		await rm(folder, { recursive: true, force: true });
	});
	const { code, output } = await smoke(router.url, ROOT_KEY);
	expect(code).toBe(1);
	expect(output).toContain("The router is closed");
	expect(output).toContain("npx wrangler secret put ADMIN_TOKEN");
});

test("nothing is listening", async () => {
	const url = await before(() => null);
	for (const close of closing.splice(0)) await close();
	const { code, output } = await smoke(url, ROOT_KEY);
	expect(code).toBe(1);
	expect(output).toContain(`Nothing is listening at ${new URL(url).host}`);
});

test.each([
	[
		"a name that does not exist",
		"https://sluice.invalid",
		/DNS does not know sluice\.invalid|could not be reached/,
	],
])("%s", async (_what, url, said) => {
	const { code, output } = await smoke(url, ROOT_KEY);
	expect(code).toBe(1);
	expect(output).toMatch(said);
});

test.each([
	[
		"another server",
		(_method: string, path: string) => (path === "/healthz" ? { status: 200, body: "<html>" } : null),
		"which is not a response of Sluice",
	],
	[
		"a database that fails",
		(method: string, path: string) =>
			method === "POST" && path === "/v1/sources"
				? { status: 500, body: { code: "internal_error", detail: "The router failed." } }
				: null,
		"most likely cause is the database (D1)",
	],
	[
		"a queue consumer that is not running",
		(_method: string, path: string) =>
			path.startsWith("/v1/events/") ? { status: 404, body: { code: "event_not_routed", detail: "" } } : null,
		"The consumer of the events queue (sluice-events, or the name in wrangler.toml) is not running",
	],
	[
		"an ingest URL behind a login page",
		(method: string, path: string) =>
			method === "POST" && path.endsWith("-echo") ? { status: 403, body: { error: "log in" } } : null,
		"no attempt was made|last attempt: 403",
	],
])("%s is reported, and nothing is left behind", async (_what, answer, said) => {
	const { code, output } = await smoke(await before(answer), ROOT_KEY, "--wait", "1");
	expect(output).toMatch(new RegExp(said.replaceAll(/[()]/g, "\\$&")));
	expect(code).toBe(1);
	expect(await leftBehind()).toEqual([]);
});

test("Ctrl-C deletes what was created", async () => {
	const url = await before((_method, path) => (path.startsWith("/v1/events/") ? "hang" : null));
	const running = start(url, ROOT_KEY);
	await until("the event to be accepted", async () =>
		running.output().includes("in the queue") ? true : null,
	);
	expect(await leftBehind()).not.toEqual([]);
	running.child.kill("SIGINT");
	const { code, output } = await running.ended;
	expect(code).toBe(130);
	expect(output).toContain("Stopped.");
	expect(await leftBehind()).toEqual([]);
});

test("Ctrl-C while something is being created deletes that, too", async () => {
	let running: ReturnType<typeof start> | null = null;
	let arrived: Promise<unknown> = Promise.resolve();
	const url = await before((method, path) => {
		if (method !== "POST" || path !== "/v1/endpoints") return null;
		running?.child.kill("SIGINT");
		// The router goes on with a change whose client has gone.
		const created = setTimeout(1_000, null);
		arrived = created.then(() => setTimeout(1_000));
		return created;
	});
	running = start(url, ROOT_KEY);
	expect((await running.ended).code).toBe(130);
	await arrived;
	expect(await leftBehind()).toEqual([]);
});

test.each([
	["no URL", [], ROOT_KEY, "Give the URL"],
	["not an HTTP URL", ["ftp://a.example"], ROOT_KEY, "is not an http or https URL"],
	["no token", ["http://127.0.0.1:1"], "", "SLUICE_TOKEN"],
])("%s: prints the usage", async (_what, [url = "--wait=1", ...more], token, said) => {
	const { code, output } = await smoke(url, token, ...more);
	expect(code).toBe(1);
	expect(output).toContain(said);
	expect(output).toContain("npm run smoke -- <URL");
});
