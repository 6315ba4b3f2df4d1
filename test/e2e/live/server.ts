/**
 * A real model server for one suite: installed if it is not yet, started on a free port of loopback, ended with the suite.
 * Where it cannot be installed the tests are skipped and say why, unless SLUICE_REQUIRE_LIVE=1 says that they must not
 * be.
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { startProgram } from "../../../scripts/child.ts";
import type { Child } from "../../../scripts/child.ts";
import { freePorts } from "../support/free-port.ts";
import { until } from "../support/until.ts";
import { CACHE, INSTALL_TIMEOUT_MS, prepareEnvironment } from "./python.ts";

const SERVERS = join(import.meta.dirname, "servers");
const START_TIMEOUT_MS = 120_000;
/** How much of the server's output is repeated when it does not start. */
const KEPT_LINES = 30;

/** How one kind of server is run, and when it is up. */
export interface Kind {
	/** Folder below servers/, with its requirements.txt; the server's working directory. */
	name: string;
	/** The module that is run and its arguments. `ports` are free ones, the first for HTTP. */
	module: (ports: number[]) => string[];
	/** `gate`: the file that `openGate` makes. */
	env: (ports: number[], gate: string) => Record<string, string>;
	/** Path that responds with 200 once the server is up. */
	upPath: string;
}

export interface LiveServer {
	/** Origin, without a slash at the end. */
	url: string;
	/** Lets go on what waits for it in the server. */
	openGate(): Promise<void>;
	stop(): Promise<void>;
}

/** Call at the top of a suite. The server may be used from the first test on. */
export function liveServer(kind: Kind): LiveServer {
	const server = {} as LiveServer;
	let reason: string | null = null;
	let folder: string | null = null;

	beforeAll(async () => {
		const environment = await prepareEnvironment(kind.name, join(SERVERS, kind.name, "requirements.txt"));
		if (!environment.ok) {
			reason = environment.reason;
			if (process.env["SLUICE_REQUIRE_LIVE"] === "1") {
				throw new Error(`SLUICE_REQUIRE_LIVE is set, but ${reason}.`);
			}
			return;
		}
		folder = await mkdtemp(join(tmpdir(), "sluice-live-"));
		Object.assign(server, await start(kind, environment.python, folder));
	}, INSTALL_TIMEOUT_MS + START_TIMEOUT_MS);

	beforeEach(({ skip }) => {
		if (reason !== null) skip(`The suite against a real ${kind.name} was skipped: ${reason}.`);
	});

	afterAll(async () => {
		await server.stop?.();
		if (folder !== null) await rm(folder, { recursive: true, force: true });
	});
	return server;
}

async function start(kind: Kind, python: string, folder: string): Promise<LiveServer> {
	const ports = await freePorts(3);
	const gate = join(folder, "gate");
	const lines: string[] = [];
	const child = startProgram(python, [join(SERVERS, "run.py"), ...kind.module(ports)], {
		cwd: join(SERVERS, kind.name),
		env: {
			...process.env,
			// What Python compiles has no place in the repository.
			PYTHONPYCACHEPREFIX: join(CACHE, "compiled"),
			PYTHONUNBUFFERED: "1",
			HOME: folder,
			...kind.env(ports, gate),
		},
		log: (line) => {
			lines.push(line);
			if (lines.length > KEPT_LINES) lines.shift();
		},
	});
	const url = `http://127.0.0.1:${ports[0]}`;
	try {
		await until(`${kind.name} to be up`, () => isUp(child, url + kind.upPath), START_TIMEOUT_MS);
	} catch (error) {
		await child.stop();
		throw new Error([`${kind.name} did not start: ${String(error)}`, ...lines].join("\n"), { cause: error });
	}
	return {
		url,
		openGate: async () => {
			if (!existsSync(gate)) await writeFile(gate, "");
		},
		stop: () => child.stop(),
	};
}

/** null while it is not. */
async function isUp(child: Child, url: string): Promise<true | null> {
	if (!child.isRunning()) throw new Error("it ended before it was up");
	const response = await fetch(url).catch(() => null);
	await response?.body?.cancel();
	return response?.status === 200 ? true : null;
}
