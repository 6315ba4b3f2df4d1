/**
 * `npm run dev`: the router for development. Keeps its state and token in `.sluice/` between runs, reloads when a
 * source file changes, and prints its log.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { isCrash, NO_RESPONSE, respondsAgain } from "./after-crash.ts";
import { jsonLine, readableLine } from "./loglines.ts";
import { paint } from "./paint.ts";
import { parsePort } from "./port.ts";
import { startRouter } from "./router.ts";
import type { Router } from "./router.ts";
import { welcomeText } from "./welcome.ts";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..");
const TOKEN_FILE = ".sluice/token";
const DEFAULT_STATE = ".sluice/state";
const DEFAULT_PORT = "8787";
const USAGE = `npm run dev [-- --port <number> --state <folder> --json]

  --port <number>   the router's port (default: ${DEFAULT_PORT})
  --state <folder>  where it keeps its state (default: ${DEFAULT_STATE}); each running router needs its own
  --json            print the log as the router writes it, one JSON object per line; everything else goes to stderr`;

try {
	await main();
} catch (error) {
	console.error(paint("red", error instanceof Error ? error.message : String(error)));
	process.exit(1);
}

async function main(): Promise<void> {
	const { values } = parseArgs({
		options: {
			port: { type: "string" },
			state: { type: "string" },
			json: { type: "boolean" },
			help: { type: "boolean" },
		},
	});
	if (values.help) return console.log(USAGE);
	/** Prints everything except the log. */
	const say = values.json ? console.error : console.log;
	const port = parsePort(values.port ?? DEFAULT_PORT);
	// Relative to the caller's folder, because npm runs scripts in the project's folder.
	const state = resolve(process.env["INIT_CWD"] ?? "", values.state ?? join(PROJECT, DEFAULT_STATE));
	const ownVars = parseEnv(await readIfThere(join(PROJECT, ".dev.vars"))) as Record<string, string>;
	// A copied .dev.vars.example contains an empty value.
	const ownToken = (ownVars.ADMIN_TOKEN ?? "").trim();
	const token = ownToken || (await keptToken());

	say(paint("dim", "Starting the router ..."));
	let isUp = false;
	let isChecking = false;
	/** Both processes of workerd may report the same crash. */
	const checkAfterCrash = async (): Promise<void> => {
		if (isChecking) return;
		isChecking = true;
		if (!(await respondsAgain(router.url))) say(paint("red", NO_RESPONSE));
		isChecking = false;
	};
	const router: Router = await startRouter({
		port,
		vars: { ALLOW_PRIVATE_ENDPOINTS: "true", ...ownVars, ADMIN_TOKEN: token },
		persistTo: state,
		log: (line) => {
			if (!isUp) return;
			if (isCrash(line)) void checkAfterCrash();
			const shown = values.json ? jsonLine(line) : readableLine(line, process.stdout.columns);
			if (shown !== null) console.log(shown);
			else if (values.json) say(line);
		},
	});
	isUp = true;
	const shownState = values.state ?? DEFAULT_STATE;
	say(
		welcomeText({
			url: router.url,
			token,
			tokenFile: ownToken ? ".dev.vars" : TOKEN_FILE,
			tokenInShell: ownToken ? token : `$(cat ${TOKEN_FILE})`,
			state: shownState,
		}),
	);
	await runUntilSignal(router);
	say(paint("dim", `\nStopped. The state is kept in ${shownState}.`));
}

/** Waits until Ctrl-C. Throws if the router ends unexpectedly. */
async function runUntilSignal(router: Router): Promise<void> {
	let isStopping = false;
	const stop = () => {
		isStopping = true;
		void router.stop();
	};
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
	await router.exited;
	if (!isStopping) throw new Error("The router stopped unexpectedly. Look for the cause in the lines above.");
}

/** Returns the token from `.sluice/token`, which the first run creates. */
async function keptToken(): Promise<string> {
	const file = join(PROJECT, TOKEN_FILE);
	const kept = (await readIfThere(file)).trim();
	if (kept !== "") return kept;
	const made = randomBytes(24).toString("base64url");
	await mkdir(dirname(file), { recursive: true });
	await writeFile(file, `${made}\n`, { mode: 0o600 });
	return made;
}

async function readIfThere(file: string): Promise<string> {
	return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return "";
		throw error;
	});
}
