/**
 * `npm run smoke -- URL`: tests a deployed router from the ingest URL to an endpoint. Prints a line per step, explains
 * failures, and deletes what it created. Exit code 0: success; 1: failure; 130: Ctrl-C.
 */
import { parseArgs } from "node:util";
import { paint } from "./paint.ts";
import { SmokeFailure } from "./smoke/client.ts";
import { cleanUp, type Made, walk } from "./smoke/walk.ts";

const DEFAULT_WAIT_SECONDS = "30";
const USAGE = `SLUICE_TOKEN=<root key> npm run smoke -- <URL of the router> [--wait <seconds>]

  --wait <seconds>  how long one step may take (default: ${DEFAULT_WAIT_SECONDS})`;

process.exitCode = await main();

async function main(): Promise<number> {
	const options = readOptions();
	if ("wrong" in options) {
		console.error(options.wrong === "" ? USAGE : `${options.wrong}\n\n${USAGE}`);
		return options.wrong === "" ? 0 : 1;
	}
	const { origin, token } = options;
	const stop = new AbortController();
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
	const made: Made = [];
	let code = 0;
	try {
		console.log(`Trying ${origin}`);
		await walk({ ...options, signal: stop.signal, done, note }, made);
	} catch (error) {
		code = stop.signal.aborted ? 130 : 1;
		if (stop.signal.aborted) console.error("\nStopped.");
		else tell(error);
	}
	const left = await cleanUp(origin, token, made);
	if (left.length > 0) {
		console.error(`Could not be deleted. Delete by hand: ${left.map((path) => `DELETE ${path}`).join(", ")}`);
	} else if (made.length > 0) console.log("  Everything that this test created has been deleted.");
	if (code === 0) console.log(paint("green", "The router works."));
	return code === 0 && left.length > 0 ? 1 : code;
}

function done(step: string): void {
	console.log(`  ${paint("green", "ok")}  ${step}`);
}

function note(text: string): void {
	console.log(`      ${text}`);
}

function tell(error: unknown): void {
	if (!(error instanceof SmokeFailure)) throw error;
	console.error(`  ${paint("red", "no")}  ${error.message}`);
	console.error(`      ${error.hint}`);
}

type Options = { origin: string; token: string; waitSeconds: number } | { wrong: string };

function readOptions(): Options {
	const { values, positionals } = parseArgs({
		allowPositionals: true,
		options: { wait: { type: "string", default: DEFAULT_WAIT_SECONDS }, help: { type: "boolean" } },
	});
	if (values.help === true) return { wrong: "" };
	const [given, ...more] = positionals;
	const url = URL.parse(given ?? "");
	if (given === undefined || more.length > 0) return { wrong: "Give the URL of one router." };
	if (url === null || !/^https?:$/.test(url.protocol))
		return { wrong: `${given} is not an http or https URL.` };
	const token = (process.env["SLUICE_TOKEN"] ?? "").trim();
	if (token === "") return { wrong: "Set the environment variable SLUICE_TOKEN to the router's root key." };
	const waitSeconds = Number(values.wait);
	if (!(waitSeconds > 0)) return { wrong: "--wait must be a positive number of seconds." };
	return { origin: url.origin, token, waitSeconds };
}
