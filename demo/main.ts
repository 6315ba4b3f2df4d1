/**
 * `npm run demo`: the router at work with real models. Scans arrive in a bucket, and the router delivers them to an OCR
 * model, the text to an entity model and a sentiment model, and their outputs to an application. Everything listens on
 * loopback only.
 */
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { paint } from "../scripts/paint.ts";
import { parsePort } from "../scripts/port.ts";
import type { Page } from "./api.ts";
import { within } from "./deadline.ts";
import { trackJourneys } from "./journey.ts";
import type { Journeys } from "./journey.ts";
import { findingLines, settledDeliveries, stuckLines, summaryLines, traceLines } from "./report.ts";
import { openScreen } from "./screen.ts";
import type { Screen } from "./screen.ts";
import { setStage } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { wrapWords } from "../scripts/wrap.ts";

const SCANS = join(dirname(fileURLToPath(import.meta.url)), "scans");
const MS_BETWEEN_SCANS = 400;
const JOURNEY_SECONDS = 120;
const NEXT =
	'Next: run npm run dev and follow "Your first event in five minutes" in README.md. For your own model server, ' +
	"docs/models.md has an endpoint to copy.";
const USAGE = `npm run demo [-- --stay] [--port <number>]

  --stay           keep everything running afterwards, for scans of your own
  --port <number>  the router's port (default: a free one)`;

const cleanup = new AsyncDisposableStack();
let isStaying = false;
const interrupted = new Promise<number>((resolve) => {
	// Ctrl-C is a failure while the demo runs, and the normal end with --stay.
	const end = () => resolve(isStaying ? 0 : 130);
	for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
});
const screen = openScreen(() => performance.now());

try {
	process.exitCode = await Promise.race([main(), interrupted]);
} catch (error) {
	screen.settle();
	console.error(`\n ${paint("red", error instanceof Error ? error.message : String(error))}`);
	process.exitCode = 1;
}
screen.settle();
await cleanup.disposeAsync();
process.exit();

async function main(): Promise<number> {
	const { values } = parseArgs({
		options: { stay: { type: "boolean" }, port: { type: "string" }, help: { type: "boolean" } },
	});
	if (values.help) {
		console.log(USAGE);
		return 0;
	}
	const port = parsePort(values.port ?? "0");
	const folder = await mkdtemp(join(tmpdir(), "sluice-demo-"));
	cleanup.defer(() => rm(folder, { recursive: true, force: true }));

	screen.print("", ` ${paint("bold", "Sluice: scanned documents in, names and sentiment out")}`, "");
	const journeys = trackJourneys(() => performance.now(), screen.journeyChanged);
	const stage = await setStage({ port, folder }, { screen, journeys, cleanup });
	await letScansArrive(stage, journeys);
	await report(stage, journeys);
	if (values.stay) await stay(screen, stage);
	else sayWhatIsNext(screen);
	return 0;
}

async function letScansArrive({ api, bucket }: Stage, journeys: Journeys): Promise<void> {
	const scans = (await readdir(SCANS)).filter((name) => name.endsWith(".png"));
	screen.settle();
	screen.print("");
	screen.showJourneys(journeys.all);
	const allReceived = journeys.received(scans.length);
	for (const scan of scans) {
		await copyFile(join(SCANS, scan), join(bucket.folder, scan));
		await Promise.race([setTimeout(MS_BETWEEN_SCANS), allReceived]);
	}
	try {
		await within(JOURNEY_SECONDS, "Processing the scans", allReceived);
	} catch (error) {
		screen.settle();
		screen.print("", ...(await stuckLines(api)));
		throw error;
	}
	screen.settle();
}

async function report({ api, verifiedCount }: Stage, journeys: Journeys): Promise<void> {
	const all = journeys.all();
	const deliveries = await settledDeliveries(api);
	const events = await api<Page<unknown>>("GET", "/events?limit=200");
	const [first] = all;
	const columns = screen.columns();
	const trace =
		first?.eventId === undefined ? [] : await traceLines(api, first.eventId, { deliveries, columns });
	screen.print(
		"",
		` ${paint("bold", "What the application received")}`,
		"",
		...findingLines(all, columns),
		"",
		` ${paint("bold", `What happened to ${first?.key}, as recorded by the router`)}`,
		"",
		...trace,
		"",
		...summaryLines({
			journeys: all,
			deliveries,
			eventCount: events.data.length,
			verifiedCount: verifiedCount(),
		}).flatMap((line) => wrapWords(line, columns, { first: " ", rest: " " })),
		"",
	);
}

function sayWhatIsNext(screen: Screen): void {
	screen.print(
		...wrapWords(NEXT, screen.columns(), { first: " ", rest: " " }).map((line) => paint("bold", line)),
		"",
	);
}

async function stay(screen: Screen, { router, bucket }: Stage): Promise<void> {
	isStaying = true;
	const authorization = `-H 'authorization: Bearer ${router.token}'`;
	screen.print(
		` ${paint("bold", "Still running")}; Ctrl-C stops it. Copy a PNG or JPEG with English text into the bucket:`,
		"",
		`  bucket  ${paint("cyan", bucket.folder)}`,
		`  API     ${paint("cyan", `${router.url}/v1`)}`,
		`  token   ${paint("cyan", router.token)}`,
		"",
		`  curl -s '${router.url}/v1/deliveries?limit=5' ${authorization}`,
		"",
	);
	await new Promise(() => {});
}
