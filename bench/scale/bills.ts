/** What an event costs: a single one, by fan-out and by how many share a batch, and one of the whole population. */
import { type Bill, billFor, callsOf, rowsOf, type Units } from "./costs.ts";
import type { Tally } from "./counting.ts";
import { LIMITS, STEPS } from "./limits.ts";
import { EXTRA_ATTEMPTS, HIGHEST, LARGE_BATCH, SMALL_BATCH } from "./loads.ts";
import type { Population } from "./population.ts";
import { unitsOf } from "./rates.ts";

export interface CostRow {
	what: string;
	rows: number;
	calls: number;
	bill: Bill;
	/** Whether this is the whole population at the highest load. */
	isHighest: boolean;
}

/** s that the model takes. Up to six exchanges share the time of one object (assumed). */
const MODEL_SECONDS = 0.3;

/** One event with `fanOut` deliveries. `together` of them reach one log and one dispatcher in the same batch. */
export function unitsOfOne(fanOut: number, together: number, logBytes: number): Units {
	const attempts = fanOut * (1 + EXTRA_ATTEMPTS);
	const logCalls = 1 / together;
	const dispatcherCalls = fanOut / together;
	const shared = Math.min(together, LIMITS.connections.low);
	return {
		messages: 1,
		batches: 1 / together,
		logCalls,
		dispatcherCalls,
		handCalls: 0,
		deliveries: fanOut,
		extraAttempts: EXTRA_ATTEMPTS,
		objectSeconds: (attempts * MODEL_SECONDS) / shared + (logCalls + dispatcherCalls) * STEPS.callSeconds,
		alarms: 0,
		kvReads: 0,
		kvWrites: 0,
		logBytes,
	};
}

/** By fan-out, and by how many events of the same kind share a batch. */
export function singleCosts(logBytes: number): CostRow[] {
	return [1, 5].flatMap((fanOut) =>
		[1, 10, 100].map((together) =>
			toCosts(`fan-out ${fanOut}, ${together} of a kind in a batch`, unitsOfOne(fanOut, together, logBytes)),
		),
	);
}

/** The whole population, in the batches that it forms. */
export function populationCosts(population: Population, small: Tally, large: Tally): CostRow[] {
	const row = (tally: Tally, load: number, batch: number): CostRow =>
		toCosts(
			`all of them at ${load.toLocaleString("en")}/s, batches of ${batch}`,
			unitsOf(population, tally, load, EXTRA_ATTEMPTS),
			load === HIGHEST,
		);
	return [row(small, 1_000, SMALL_BATCH), row(small, HIGHEST, SMALL_BATCH), row(large, HIGHEST, LARGE_BATCH)];
}

function toCosts(what: string, units: Units, isHighest = false): CostRow {
	return { what, rows: rowsOf(units), calls: callsOf(units), bill: billFor(units), isHighest };
}
