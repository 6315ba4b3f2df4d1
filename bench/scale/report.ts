/** The figures as text: four tables, and notes on where the figures come from. */
import type { Answer } from "./answers.ts";
import type { CostRow } from "./bills.ts";
import { LARGE_BATCH, LOADS, SMALL_BATCH } from "./loads.ts";
import type { ModelRow } from "./models.ts";
import type { FindingRow, Results } from "./simulation.ts";
import { faint, type Line, many, plain, rangeText, short, table, title } from "./text.ts";

/** Events of 30 days at the highest load, in millions. */
const MONTH_MILLIONS = 0.05 * 30 * 86_400;

export function linesOf(results: Results): Line[] {
	const { scenario, subscriptions, fanOut, shares } = results;
	return [
		faint(
			`${many(scenario.sources)} sources, ${many(scenario.endpoints)} endpoints, ${many(subscriptions)} subscriptions; ` +
				`${many(scenario.events)} events of 1 KB, seed ${scenario.seed}.`,
		),
		faint(
			`Zipf: the busiest source has ${percent(shares.source)} of the events, the busiest endpoint gets ` +
				`${percent(shares.endpoint)} of them; ${fanOut.toFixed(2)} deliveries an event.`,
		),
		...title(
			"What gives out first as the load grows, and what the design answers; full: at how many events/s",
		),
		...findingLines(results.findings),
		...title("The answers switched on, at 50,000 events/s"),
		...answerLines(results.answers),
		...title("One endpoint with a slow model, and always something to send"),
		...modelLines(results.models),
		...title("One event: rows written, calls of objects; dollars a million events"),
		...costLines(results.costs),
		...title("Where the figures come from"),
		...SOURCES.map((text) => plain(text)),
	];
}

const SOURCES = [
	"Run here   loads, decisions and calls of the router for each event; gates and back-off of an endpoint; ids; segments",
	"Measured   rows a step (workerd), CPU and reading the table (npm run bench), 850 bytes a subscription (Node)",
	"Published  5,000 messages/s, 25 GB and 250 invocations a queue, 1,000 queries/s of D1, six connections; prices of",
	"           Workers Paid, November 2026, nothing included taken off",
	"Assumed    the population; 200 to 500 writing calls/s of an object; 10 ms a call; 500 requests/s an isolate; an",
	"           isolate for each router at once; each statement of a batch of D1 a query; 5 % of attempts repeated; 600 bytes",
	"           a finished delivery; 400 and 500 bytes a log line; a micro-batch takes 5 % longer for each further delivery",
	"Not seen   Cloudflare itself: how large batches become there, and how many isolates there are",
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

function answerLines(rows: Results["answers"]): Line[] {
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

function cellsOf(answer: Answer): string[] {
	return [
		`${short(answer.before)} → ${short(answer.after)}`,
		`÷ ${(answer.before / answer.after).toFixed(1)}`,
		enough(answer),
	];
}

function enough({ after, limit }: Answer): string {
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
	const head = ["model", "", "deliveries/s", "hands", "calls/s", "refused", "borne/s", "what bounds it"];
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
