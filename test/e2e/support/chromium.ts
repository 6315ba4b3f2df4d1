/** Chromium without a window and without a network but loopback, driven by its own protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { PATIENCE_MS } from "../../patience.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The browser's program in `PATH`; null when there is none. */
export function findChromium(): string | null {
	const folders = (process.env["PATH"] ?? "").split(delimiter);
	return NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram) ?? null;
}

function isProgram(path: string): boolean {
	try {
		accessSync(path, constants.X_OK);
		return true;
	} catch {
		return false;
	}
}

export interface Page {
	/** The value of an expression in the page; promises are waited for. */
	evaluate<T>(expression: string): Promise<T>;
	call(method: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
	/** URLs of all requests, and what the console complained of. */
	requests: string[];
	complaints: string[];
	close(): Promise<void>;
}

interface Message {
	id?: number;
	method?: string;
	params?: Record<string, unknown>;
	result?: Record<string, unknown>;
	error?: { message: string };
}

/** Opens `url` in a browser of its own, which finds no host but 127.0.0.1. */
export async function openPage(program: string, url: string): Promise<Page> {
	const profile = await mkdtemp(join(tmpdir(), "sluice-chromium-"));
	const child = spawn(
		program,
		[
			"--headless=new",
			"--no-sandbox",
			"--disable-gpu",
			"--disable-background-networking",
			"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
			"--remote-debugging-port=0",
			`--user-data-dir=${profile}`,
			"about:blank",
		],
		{ stdio: ["ignore", "ignore", "pipe"] },
	);
	const close = async () => {
		if (child.exitCode === null && child.signalCode === null) {
			const exited = once(child, "exit");
			child.kill("SIGKILL");
			await exited;
		}
		await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
	};
	try {
		const page = await connect(await debuggerOf(child), close);
		await page.call("Page.navigate", { url });
		return page;
	} catch (error) {
		await close();
		throw error;
	}
}

/** The address of the browser's only page. */
async function debuggerOf(child: ChildProcess): Promise<string> {
	let said = "";
	const signal = AbortSignal.timeout(PATIENCE_MS);
	for await (const chunk of child.stderr ?? []) {
		said += String(chunk);
		const origin = /ws:\/\/(127\.0\.0\.1:\d+)\//.exec(said)?.[1];
		if (origin === undefined) {
			signal.throwIfAborted();
			continue;
		}
		// Read on, or the browser would wait once the pipe is full.
		child.stderr?.resume();
		const pages = (await (await fetch(`http://${origin}/json/list`)).json()) as {
			type: string;
			webSocketDebuggerUrl: string;
		}[];
		const page = pages.find(({ type }) => type === "page");
		if (page !== undefined) return page.webSocketDebuggerUrl;
	}
	throw new Error(`Chromium did not start: ${said}`);
}

async function connect(address: string, close: () => Promise<void>): Promise<Page> {
	const socket = new WebSocket(address);
	await once(socket, "open");
	const waiting = new Map<number, (message: Message) => void>();
	const [requests, complaints]: [string[], string[]] = [[], []];
	socket.addEventListener("message", ({ data }) => {
		const message = JSON.parse(String(data)) as Message;
		if (message.id !== undefined) waiting.get(message.id)?.(message);
		const { method, params = {} } = message;
		if (method === "Network.requestWillBeSent") requests.push((params["request"] as { url: string }).url);
		if (method === "Log.entryAdded" || method === "Runtime.exceptionThrown")
			complaints.push(JSON.stringify(params));
	});
	let calls = 0;
	const call: Page["call"] = async (method, params = {}) => {
		const id = (calls += 1);
		const { promise, resolve } = Promise.withResolvers<Message>();
		waiting.set(id, resolve);
		socket.send(JSON.stringify({ id, method, params }));
		const { result = {}, error } = await promise;
		if (error !== undefined) throw new Error(`${method}: ${error.message}`);
		return result;
	};
	for (const domain of ["Network", "Log", "Runtime", "Page"]) await call(`${domain}.enable`);
	return {
		call,
		requests,
		complaints,
		async evaluate<T>(expression: string) {
			const given = { expression, awaitPromise: true, returnByValue: true };
			const { result, exceptionDetails } = await call("Runtime.evaluate", given);
			if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
			return (result as { value: T }).value;
		},
		async close() {
			socket.close();
			await close();
		},
	};
}
