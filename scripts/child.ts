/**
 * A child process that, with all its descendants, never outlives this process, even if this one is killed. This does
 * not depend on what the child does.
 */
import { spawn } from "node:child_process";
import type { ChildProcess, StdioOptions } from "node:child_process";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";

/** Loaded into the child, which then ends by itself if this process dies from a signal that cannot be handled. */
const END_WITH_PARENT = new URL("end-with-parent.mjs", import.meta.url).href;
/** How long a child may take to end after SIGTERM before it is killed. */
const STOP_TIMEOUT_MS = 5_000;
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export interface Child {
	process: ChildProcess;
	isRunning: () => boolean;
	/** Resolves when the process has ended, for any reason. */
	exited: Promise<void>;
	/** Ends the child and its descendants. `SIGKILL` is a crash: nothing is flushed. */
	stop: (signal?: "SIGTERM" | "SIGKILL") => Promise<void>;
}

export interface ChildOptions {
	cwd: string;
	env: NodeJS.ProcessEnv;
	/** Receives each line of stdout and stderr that is not blank, without colours. */
	log: (line: string) => void;
}

/** Starts a Node.js script with an IPC channel, in its own process group, so that a signal reaches all of it. */
export function startScript(script: string, args: string[], options: ChildOptions): Child {
	const stdio: StdioOptions = ["ignore", "pipe", "pipe", "ipc"];
	return start(process.execPath, ["--import", END_WITH_PARENT, script, ...args], stdio, options);
}

/**
 * Starts any other program, also in its own process group. Its stdin is a pipe that nothing is written to. The pipe
 * closes when this process ends for any reason, and the program must watch for that.
 */
export function startProgram(program: string, args: string[], options: ChildOptions): Child {
	return start(program, args, ["pipe", "pipe", "pipe"], options);
}

function start(program: string, args: string[], stdio: StdioOptions, { cwd, env, log }: ChildOptions): Child {
	const child = spawn(program, args, { cwd, env, stdio, detached: process.platform !== "win32" });
	for (const stream of [child.stdout, child.stderr]) {
		if (stream === null) continue;
		createInterface({ input: stream }).on("line", (raw) => {
			const line = stripVTControlCharacters(raw).trimEnd();
			if (line !== "") log(line);
		});
	}

	const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
	const kill = (signal: NodeJS.Signals) => {
		if (isRunning()) signalGroup(child, signal);
	};
	const release = tieToThisProcess(() => kill("SIGKILL"));
	const exited = new Promise<void>((resolve) => {
		child.once("error", () => resolve());
		child.once("exit", () => {
			// It may have died without its own children.
			signalGroup(child, "SIGKILL");
			release();
			resolve();
		});
	});
	const stop = async (signal: "SIGTERM" | "SIGKILL" = "SIGTERM") => {
		kill(signal);
		const killTimer = setTimeout(kill, STOP_TIMEOUT_MS, "SIGKILL");
		await exited;
		clearTimeout(killTimer);
	};
	return { process: child, isRunning, exited, stop };
}

/** Calls `end` when this process exits or gets a signal. A signal without another handler still ends the process. */
function tieToThisProcess(end: () => void): () => void {
	const onSignal = (signal: NodeJS.Signals) => {
		if (process.listenerCount(signal) > 0) return;
		end();
		process.kill(process.pid, signal);
	};
	process.once("exit", end);
	for (const signal of ENDING_SIGNALS) process.once(signal, onSignal);
	return () => {
		process.off("exit", end);
		for (const signal of ENDING_SIGNALS) process.off(signal, onSignal);
	};
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
	if (child.pid === undefined) return;
	try {
		if (process.platform === "win32") spawn("taskkill", ["/pid", String(child.pid), "/T", "/F"]);
		else process.kill(-child.pid, signal);
	} catch (error) {
		// ESRCH: the group has no processes left.
		if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
	}
}
