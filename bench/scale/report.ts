/** The figures as text: four tables, and notes on the origin of the figures. */
import type { Remedy } from "./remedies.ts";
import type { CostRow } from "./bills.ts";
import { LARGE_BATCH, LOADS, SMALL_BATCH } from "./loads.ts";
import type { ModelRow } from "./models.ts";
import type { FindingRow, Results } from "./simulation.ts";
import { faint, type Line, many, plain, rangeText, short, table, title } from "./text.ts";

/** Events in 30 days at the highest load, in millions. */
const MONTH_MILLIONS = 0.05 * 30 * 86_400;

export function linesOf(results: Results): Line[] {
	const { scenario, subscriptions, fanOut, shares } = results;
	return [
		faint(
			`${many(scenario.sources)} sources, ${many(scenario.endpoints)} endpoints, ${many(subscriptions)} subscriptions; ` +
				`${many(scenario.events)} events of 1 KB, seed ${scenario.seed}.`,
		),
		faint(
			`Zipf: the busiest source has ${percent(shares.source)} of the events, the busiest endpoint ` +
				`${percent(shares.endpoint)} of all deliveries; ${fanOut.toFixed(2)} deliveries per event.`,
		),
		...title(
			"Which limit is reached first as load grows → the remedy. full: the events/s at which it is reached",
		),
		...findingLines(results.findings),
		...title("The remedies applied, at 50,000 events/s"),
		...remedyLines(results.remedies),
		...title("One endpoint with a slow model, which always has something to send"),
		...modelLines(results.models),
		...title("One event: rows written, Durable Object calls; dollars per million events"),
		...costLines(results.costs),
		...title("Origin of the figures"),
		...SOURCES.map((text) => plain(text)),
	];
}

const SOURCES = [
	"Run here   loads, decisions and calls of the router for each event; gates and back-off of an endpoint; ids; segments",
	"Measured   rows per step (workerd), CPU and reading the table (npm run bench), 850 bytes per subscription (Node)",
	"Published  5,000 messages/s, 25 GB and 250 invocations per queue, 1,000 queries/s of D1, six connections; prices of",
	"           Workers Paid, November 2026, without the included amounts",
	"Assumed    the population; 200 to 500 writing calls/s per object; 10 ms per call; 500 requests/s per isolate; one",
	"           isolate per concurrent router; each statement of a D1 batch is a query; 5 % of attempts are retries; 600 bytes",
	"           per finished delivery; 400 and 500 bytes per log line; a micro-batch takes 5 % longer per further delivery",
	"Unknown    Cloudflare itself: how large batches become there, and how many isolates there are",
];

function findingLines(rows: readonly FindingRow[]): Line[] {
	const cells = rows.map(({ what, unit, usages, limit, fullAt, fullBy }) => [
		what,
		...usages.map(short),
		rangeText(limit),
		unit,
		...(fullBy === null ? fullAt.map(rangeText) : [fullBy, ""]),
	]);
	const loads = LOADS.map((load) => `${many(load)}/s`);
	const head = ["", ...loads, "limit", "", `full, by ${SMALL_BATCH}s`, `by ${LARGE_BATCH}s`];
	const [first, ...lines] = table(head, cells, [0, 6]);
	return [
		...(first === undefined ? [] : [first]),
		...lines.flatMap((line, index) => {
			const { verdict = "", limit } = rows[index] ?? {};
			return [line, faint(`    ${limit?.origin ?? ""}: ${verdict}`)];
		}),
	];
}

function remedyLines(rows: Results["remedies"]): Line[] {
	const cells = rows.map(({ small, large }) => [
		small.what,
		small.of,
		rangeText(small.limit),
		...cellsOf(small),
		...cellsOf(large),
	]);
	const head = ["", "", "limit", `batches of ${SMALL_BATCH}`, "", "", `of ${LARGE_BATCH}`, "", ""];
	return table(head, cells, [0, 1, 5, 8]);
}

function cellsOf(remedy: Remedy): string[] {
	return [
		`${short(remedy.before)} → ${short(remedy.after)}`,
		`÷ ${(remedy.before / remedy.after).toFixed(1)}`,
		enough(remedy),
	];
}

function enough({ after, limit }: Remedy): string {
	if (after <= limit.low) return "enough";
	return after <= limit.high ? "perhaps" : `${short(after / limit.high)} × over`;
}

function modelLines(rows: readonly ModelRow[]): Line[] {
	const cells = rows.map(({ modelSeconds, how, work, borne }) => [
		`${modelSeconds} s`,
		how,
		short(work.perSecond),
		String(work.hands),
		short(work.settleCalls),
		percent(work.wasted),
		rangeText(borne),
		borne.low < work.perSecond ? "the dispatcher's calls" : "the model's time",
	]);
	const head = ["model", "", "deliveries/s", "hands", "calls/s", "refused", "sustained/s", "limited by"];
	return table(head, cells, [0, 1, 7]);
}

function costLines(rows: readonly CostRow[]): Line[] {
	const cells = rows.map(({ what, rows: written, calls, bill }) => [
		what,
		written.toFixed(2),
		calls.toFixed(2),
		...[bill.requests, bill.queue, bill.calls, bill.duration, bill.rows, bill.rest, bill.total].map(
			(dollars) => dollars.toFixed(2),
		),
	]);
	const parts = ["requests", "queue", "calls", "duration", "rows", "rest", "total"].map(
		(part) => `$ ${part}`,
	);
	const months = rows.filter(({ isHighest }) => isHighest).map(({ bill }) => bill.total * MONTH_MILLIONS);
	return [
		...table(["", "rows", "calls", ...parts], cells, [0]),
		faint(
			`50,000 events/s for 30 days are ${many(MONTH_MILLIONS)} million events: ${months.map(thousands).join(" and ")}.`,
		),
	];
}

function percent(share: number): string {
	return `${(100 * share).toFixed(1)} %`;
}

function thousands(dollars: number): string {
	return `$${many(Math.round(dollars / 1_000))},000`;
}
