/**
 * Runs the router on this machine: `wrangler dev` with its embedded Queue, D1, KV and Durable Objects. Used by
 * `npm run dev`, the demo and the end-to-end tests. This module starts and stops it and prints nothing.
 */
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startScript } from "./child.ts";
import type { Child } from "./child.ts";
import { assertPortFree, PortInUseError } from "./port.ts";
import { claimState } from "./state-lock.ts";
import { writeVarsFile } from "./vars-file.ts";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..");
const WRANGLER = join(PROJECT, "node_modules", "wrangler", "bin", "wrangler.js");
const HOST = "127.0.0.1";
/** A cold machine bundles in seconds, a very busy one within a minute. After two minutes something is wrong. */
const START_TIMEOUT_MS = 120_000;
const POLL_MS = 100;
/** Release 0.1 left secrets in the state: the Worker's variables, and every URL of a request in or out. */
const LEFT_BY_0_1 = ["vars.env", join("v3", "observability")];
/** How many lines of the output are repeated when the router does not start. */
const KEPT_LINES = 30;

export interface RouterOptions {
	/** Port on 127.0.0.1; 0 takes a free one. */
	port: number;
	/** The Worker's variables, `ADMIN_TOKEN` among them. A `.dev.vars` file is not read. */
	vars: Record<string, string>;
	/** Folder of the router's state. Started again with it, the router continues. Only one router at a time can use it. */
	persistTo: string;
	/** Receives each line that wrangler and the Worker print. */
	log?: (line: string) => void;
}

export interface Router {
	/** Origin, without a slash at the end. */
	url: string;
	/** Stops the router and everything it started. `SIGKILL` is a crash: nothing is flushed. */
	stop: (signal?: "SIGTERM" | "SIGKILL") => Promise<void>;
	/** Resolves when the process has ended, for any reason. */
	exited: Promise<void>;
}

/**
 * Starts the router and resolves once `/healthz` responds with 200.
 *
 * @throws {StateInUseError} when another router uses the state folder
 * @throws {PortInUseError} when the port is in use
 * @throws {Error} with the last lines of output, when the Worker does not build, stops early or is not up in time
 */
export async function startRouter({ port, vars, persistTo, log }: RouterOptions): Promise<Router> {
	await mkdir(persistTo, { recursive: true });
	/** Released when the router has ended or could not start. */
	const held = new DisposableStack();
	try {
		// Before the port, so that where another router uses both, the error names both.
		held.defer(claimState(persistTo));
		for (const path of LEFT_BY_0_1) await rm(join(persistTo, path), { recursive: true, force: true });
		if (port !== 0) await assertPortFree(port, HOST);
		const varsFile = writeVarsFile(vars);
		held.defer(varsFile.remove);
		const { url, child } = await runWrangler(port, varsFile.path, persistTo, log);
		const exited = child.exited.then(() => held.dispose());
		const stop: Router["stop"] = async (signal) => {
			await child.stop(signal);
			await exited;
		};
		return { url, stop, exited };
	} catch (error) {
		held.dispose();
		throw error;
	}
}

/** Starts `wrangler dev`. If that fails, nothing is left running. */
async function runWrangler(
	port: number,
	varsFile: string,
	persistTo: string,
	log: RouterOptions["log"],
): Promise<{ url: string; child: Child }> {
	const lastLines: string[] = [];
	const buildFailed = Promise.withResolvers<string>();
	const child = startScript(WRANGLER, wranglerArguments(port, varsFile, persistTo), {
		cwd: PROJECT,
		env: quietEnvironment(persistTo),
		log: (line) => {
			log?.(line);
			lastLines.push(line);
			if (lastLines.length > KEPT_LINES) lastLines.shift();
			if (line.includes("Build failed with")) buildFailed.resolve("the Worker does not build.");
		},
	});
	try {
		const url = await Promise.race([becomeReady(child), giveUpEarly(child, buildFailed.promise)]);
		return { url, child };
	} catch (error) {
		await child.stop();
		// The port was taken after it was checked.
		if (lastLines.some((line) => line.includes("Address already in use"))) throw new PortInUseError(port);
		const reason = error instanceof Error ? error.message : String(error);
		throw new Error([`The router did not start: ${reason}`, ...lastLines].join("\n"), { cause: error });
	}
}

function wranglerArguments(port: number, varsFile: string, persistTo: string): string[] {
	return [
		"dev",
		`--ip=${HOST}`,
		`--port=${port}`,
		"--inspector-port=0",
		`--env-file=${varsFile}`,
		`--persist-to=${persistTo}`,
		"--show-interactive-dev-session=false",
	];
}

/**
 * The environment that isolates wrangler: no external look-ups, no log files, and above all its own registry. By
 * default all `wrangler dev` processes on a machine share one, and would consume each other's queues.
 */
function quietEnvironment(persistTo: string): NodeJS.ProcessEnv {
	return {
		...process.env,
		CLOUDFLARE_CF_FETCH_ENABLED: "false",
		WRANGLER_HIDE_BANNER: "true",
		WRANGLER_SEND_METRICS: "false",
		WRANGLER_WRITE_LOGS: "false",
		WRANGLER_REGISTRY_PATH: join(persistTo, "registry"),
		// Otherwise every URL of a request in or out is kept in the state, with its query and the tokens in it.
		X_LOCAL_OBSERVABILITY: "false",
		NO_COLOR: "1",
		FORCE_COLOR: "0",
	};
}

/** wrangler tells a parent with an IPC channel its port. After that the Worker still has to respond. */
async function becomeReady(child: Child): Promise<string> {
	const port = await new Promise<number>((resolve) => {
		child.process.on("message", (message) => {
			const { event, port } = JSON.parse(String(message)) as { event: string; port: number };
			if (event === "DEV_SERVER_READY") resolve(port);
		});
	});
	const url = `http://${HOST}:${port}`;
	while (child.isRunning()) {
		const health = await fetch(`${url}/healthz`).catch(() => null);
		await health?.body?.cancel();
		if (health?.status === 200) return url;
		await setTimeout(POLL_MS);
	}
	throw new Error("it stopped before it responded.");
}

/** Rejects when the child ends, after a timeout, or when wrangler waits for the Worker's code to be fixed. */
async function giveUpEarly(child: Child, buildFailed: Promise<string>): Promise<never> {
	const deadline = setTimeout(START_TIMEOUT_MS, `it was not up within ${START_TIMEOUT_MS / 1000} seconds.`, {
		ref: false,
	});
	const reason = await Promise.race([deadline, buildFailed, child.exited.then(() => "wrangler stopped.")]);
	// The cause is on the lines after the one that was recognised.
	await setTimeout(POLL_MS);
	throw new Error(reason);
}
