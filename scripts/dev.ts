/**
 * `npm run dev`: the router for development. Keeps its state and token in `.sluice/` between runs, reloads when a
 * source file changes, and shows its log.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, parseEnv } from "node:util";
import { jsonLine, readableLine } from "./loglines.ts";
import { paint } from "./paint.ts";
import { parsePort } from "./port.ts";
import { startRouter } from "./router.ts";
import type { Router } from "./router.ts";

const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..");
const HOME = join(PROJECT, ".sluice");
const DEFAULT_STATE = ".sluice/state";
const DEFAULT_PORT = "8787";
const USAGE = `npm run dev [-- --port <number> --state <folder> --json]

  --port <number>   the router's port (default: ${DEFAULT_PORT})
  --state <folder>  what it has stored (default: ${DEFAULT_STATE}); each running router needs one of its own
  --json            print the log as the router writes it, one JSON object a line; all else goes to stderr`;

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
	/** What is not the log. */
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
	const router = await startRouter({
		port,
		vars: { ALLOW_PRIVATE_ENDPOINTS: "true", ...ownVars, ADMIN_TOKEN: token },
		persistTo: state,
		log: (line) => {
			if (!isUp) return;
			const shown = values.json ? jsonLine(line) : readableLine(line);
			if (shown !== null) console.log(shown);
			else if (values.json) say(line);
		},
	});
	isUp = true;
	const shownState = values.state ?? DEFAULT_STATE;
	say(welcome(router.url, token, ownToken ? ".dev.vars" : ".sluice/token", shownState));
	await runUntilSignal(router);
	say(paint("dim", `\nStopped. The state stays in ${shownState}.`));
}

/** Waits until Ctrl-C. An unexpected end is a failure. */
async function runUntilSignal(router: Router): Promise<void> {
	let isStopping = false;
	const stop = () => {
		isStopping = true;
		void router.stop();
	};
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, stop);
	await router.exited;
	if (!isStopping) throw new Error("The router ended unexpectedly. The lines above may say why.");
}

/** The token created in the first run. */
async function keptToken(): Promise<string> {
	const file = join(HOME, "token");
	const kept = (await readIfThere(file)).trim();
	if (kept !== "") return kept;
	const made = randomBytes(24).toString("base64url");
	await mkdir(HOME, { recursive: true });
	await writeFile(file, `${made}\n`, { mode: 0o600 });
	return made;
}

async function readIfThere(file: string): Promise<string> {
	return readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") return "";
		throw error;
	});
}

/** Notes stand in a column of their own, behind the longest value. */
function table(rows: readonly [name: string, value: string, note?: string][]): string[] {
	const width = Math.max(...rows.map(([, value]) => value.length));
	return rows.map(([name, value, note]) => {
		const padding = note === undefined ? "" : " ".repeat(width - value.length + 2);
		return `  ${name.padEnd(8)}${paint("cyan", value)}${padding}${paint("dim", note ?? "")}`;
	});
}

function welcome(url: string, token: string, tokenFile: string, state: string): string {
	return [
		"",
		paint("bold", "Sluice is up."),
		"",
		...table([
			["API", `${url}/v1`],
			["Ingest", `${url}/in/{source}`],
			["Health", `${url}/healthz`],
			["Token", token, `kept in ${tokenFile}`],
			["State", state, "delete the folder to begin afresh"],
		]),
		"",
		"Create a source, then post events to its ingest_url with its secret as the bearer token:",
		"",
		`  curl -sS ${url}/v1/sources -H 'authorization: Bearer ${token}' \\`,
		`    -H 'content-type: application/json' -d '{ "name": "try" }'`,
		"",
		paint("dim", "Reloads when a file in src/ changes. Ctrl-C stops it. The log follows."),
		"",
	].join("\n");
}
