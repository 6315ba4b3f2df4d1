/**
 * `npm run bench`: runs all benchmarks or the named ones, writes bench/results/<time>.json and prints one table at the
 * end. With `--quick` it takes a minute or two and the figures mean little. Local workerd is not Cloudflare: compare
 * ratios within one run.
 */
import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { paint } from "../scripts/paint.ts";
import { measureFlood } from "./flood.ts";
import { measureIngest } from "./ingest.ts";
import { measureIsolation } from "./isolation.ts";
import { measureLatency } from "./latency.ts";
import { tableLines } from "./report.ts";
import type { Part } from "./report.ts";
import { measureRouting } from "./routing.ts";
import { measureScale } from "./scale.ts";
import { measureWasted } from "./wasted.ts";

const PARTS: Record<string, { title: string; measure: (isQuick: boolean) => Promise<Part> }> = {
	ingest: {
		title: "Ingest: a verified, signed source, against a bare Worker that only fills the queue",
		measure: measureIngest,
	},
	latency: {
		title: "Latency: from the publisher's request to the model, against a bare Worker that only forwards",
		measure: measureLatency,
	},
	flood: {
		title: "Flood: events a second, against a bare Worker that only forwards",
		measure: measureFlood,
	},
	routing: {
		title: "Routing: an event among many subscriptions to other types, against ten of them",
		measure: measureRouting,
	},
	isolation: {
		title: "Isolation: nine healthy endpoints while a tenth hangs, against ten healthy endpoints",
		measure: measureIsolation,
	},
	wasted: {
		title: "Wasted requests: a model that accepts two at a time, against a router that knows this",
		measure: measureWasted,
	},
	scale: {
		title: "Scale, simulated: which limit is reached first, and how much each remedy helps",
		measure: measureScale,
	},
};

const USAGE = `npm run bench [-- <part> ...] [--quick]

  <part>   ${Object.keys(PARTS).join(", ")}; all of them where none is named
  --quick  a minute or two instead of a quarter of an hour; the numbers are only a sign of life`;

const { quick: isQuick, names } = readArguments();
const at = new Date();
const machine = {
	cpu: cpus()[0]?.model,
	cores: availableParallelism(),
	node: process.version,
	load: loadavg()[0],
};

const measured: (Part & { name: string; title: string })[] = [];
for (const [name, { title, measure }] of Object.entries(PARTS)) {
	if (!names.includes(name)) continue;
	console.log(paint("dim", `${title} ...`));
	measured.push({ name, title, ...(await measure(isQuick)) });
}

const folder = join(import.meta.dirname, "results");
const file = join(folder, `${at.toISOString().replaceAll(":", "-")}.json`);
await mkdir(folder, { recursive: true });
const results = Object.fromEntries(measured.map(({ name, rows, details }) => [name, { rows, details }]));
await writeFile(file, `${JSON.stringify({ at, quick: isQuick, machine, ...results }, null, "\t")}\n`);
console.log(["", ...tableLines(measured), "", paint("dim", footnote()), ""].join("\n"));

function footnote(): string {
	const minutes = Math.ceil((Date.now() - at.getTime()) / 60_000);
	const { cpu, cores, load } = machine;
	const run = isQuick ? "quick, so the figures mean little" : `${minutes} min`;
	return ` ${cores} cores of ${cpu}, load ${load?.toFixed(1)} before the run; ${run}; every round is in ${file}`;
}

/** Prints the usage and exits if there is nothing to measure. */
function readArguments(): { quick: boolean; names: string[] } {
	try {
		const { values, positionals } = parseArgs({
			options: { quick: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
			allowPositionals: true,
		});
		const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name));
		if (unknown !== undefined) throw new Error(`There is no benchmark "${unknown}".`);
		if (!values.help) return { ...values, names: positionals.length > 0 ? positionals : Object.keys(PARTS) };
		console.log(USAGE);
		process.exit(0);
	} catch (error) {
		console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
		process.exit(1);
	}
}
