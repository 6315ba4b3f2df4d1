/**
 * `npm run bench`: runs the benchmarks, prints a table of each and writes bench/results/<time>.json. With
 * `--quick` it takes seconds and its numbers are only a sign of life. Local workerd is not Cloudflare: compare
 * ratios within one run.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureIngest } from "./ingest.ts";
import { measureIsolation } from "./isolation.ts";
import { measureLatency } from "./latency.ts";
import { measureRouting } from "./routing.ts";

const USAGE = `npm run bench [-- --quick]

  --quick  seconds instead of minutes; the numbers are only a sign of life`;

const { quick: isQuick } = readArguments();

console.log("Ingest: a verified, signed source against a bare Worker ...");
const ingest = await measureIngest(
	isQuick ? { rounds: 3, secondsPerRound: 0.5 } : { rounds: 60, secondsPerRound: 0.3 },
);
printTable(ingest);

console.log("Latency: from the publisher's request to the model, at a steady rate ...");
const latency = await measureLatency({ perSecond: 50, seconds: isQuick ? 2 : 20 });
console.table(latency);

console.log("Routing: an event among thousands of subscriptions to other types, against ten ...");
const routing = await measureRouting(
	isQuick ? { subscriptions: 500, rounds: 10 } : { subscriptions: 10_000, rounds: 100 },
);
printTable(routing);

console.log("Isolation: nine healthy endpoints while a tenth hangs, against none that hangs ...");
const isolation = await measureIsolation({
	consumer: "own",
	perSecond: 20,
	...(isQuick ? { secondsPerRound: 1, rounds: 2 } : { secondsPerRound: 3, rounds: 12 }),
});
printTable(isolation);

console.log("The same without the second that the queue waits for a fuller batch ...");
const isolationPrompt = await measureIsolation({
	consumer: "prompt",
	perSecond: 20,
	...(isQuick ? { secondsPerRound: 1, rounds: 2 } : { secondsPerRound: 2, rounds: 40 }),
});
printTable(isolationPrompt);

const at = new Date().toISOString();
const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
const folder = join(import.meta.dirname, "results");
const file = join(folder, `${at.replaceAll(":", "-")}.json`);
await mkdir(folder, { recursive: true });
const results = { ingest, latency, routing, isolation, isolation_prompt: isolationPrompt };
await writeFile(file, `${JSON.stringify({ at, quick: isQuick, machine, ...results }, null, "\t")}\n`);
console.log(`Written to ${file}`);

/** Ends the process where nothing is to be measured. */
function readArguments(): { quick: boolean } {
	try {
		const { values } = parseArgs({
			options: { quick: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
		});
		if (!values.help) return values;
		console.log(USAGE);
		process.exit(0);
	} catch (error) {
		console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
		process.exit(1);
	}
}

/** Single rounds are for the file only. */
function printTable(measured: { rounds: unknown }): void {
	const { rounds: _, ...table } = measured;
	console.table(table);
}
