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
import { measureLatency } from "./latency.ts";

const { values } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const isQuick = values.quick;

console.log("Ingest: a verified, signed source against a bare Worker ...");
const ingest = await measureIngest(
	isQuick ? { rounds: 3, secondsPerRound: 0.5 } : { rounds: 60, secondsPerRound: 0.3 },
);
const { rounds: _, ...ingestTable } = ingest;
console.table(ingestTable);

console.log("Latency: from the publisher's request to the model, at a steady rate ...");
const latency = await measureLatency({ perSecond: 50, seconds: isQuick ? 2 : 20 });
console.table(latency);

const at = new Date().toISOString();
const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
const folder = join(import.meta.dirname, "results");
const file = join(folder, `${at.replaceAll(":", "-")}.json`);
await mkdir(folder, { recursive: true });
await writeFile(file, `${JSON.stringify({ at, quick: isQuick, machine, ingest, latency }, null, "\t")}\n`);
console.log(`Written to ${file}`);
