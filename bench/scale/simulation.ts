/** The whole simulation: from a seed to all figures of the report. The same seed gives the same figures. */
import { remediesFor, type Remedy } from "./remedies.ts";
import { type CostRow, populationCosts, singleCosts } from "./bills.ts";
import { HIGHEST, LARGE_BATCH, LOADS, SMALL_BATCH } from "./loads.ts";
import type { Tally } from "./counting.ts";
import { type Finding, findingsFor } from "./findings.ts";
import { fullAt } from "./full-at.ts";
import type { Range } from "./limits.ts";
import { modelRows, type ModelRow } from "./models.ts";
import { makePopulation, type Size } from "./population.ts";
import { drawSample, route } from "./traffic.ts";

export interface Scenario extends Size {
	/** The number of events that are drawn and routed. */
	events: number;
	/** How long an endpoint is simulated, as a multiple of the model's time. */
	rounds: number;
}

export interface FindingRow extends Omit<Finding, "usage" | "fullBy"> {
	/** The usage at each of LOADS, in batches of ten. */
	usages: number[];
	/** The events per second at which it is full, in batches of ten and of a hundred. */
	fullAt: Range[];
	/** What fills it instead, if the load does not matter. */
	fullBy: string | null;
}

export interface Results {
	scenario: Scenario;
	subscriptions: number;
	/** Deliveries per event, on average. */
	fanOut: number;
	/** The share of the busiest source in all events, and of the busiest endpoint in all deliveries per event. */
	shares: { source: number; endpoint: number };
	findings: FindingRow[];
	remedies: { small: Remedy; large: Remedy }[];
	models: ModelRow[];
	costs: CostRow[];
}

export async function simulate(scenario: Scenario): Promise<Results> {
	const population = makePopulation(scenario);
	const sample = await drawSample(population, scenario.events);
	const small = await route(sample, { batch: SMALL_BATCH });
	const large = await route(sample, { batch: LARGE_BATCH });
	const inSmallBatches = await remediesFor(population, sample, HIGHEST, SMALL_BATCH);
	const inLargeBatches = await remediesFor(population, sample, HIGHEST, LARGE_BATCH);
	return {
		scenario,
		subscriptions: population.table.subscriptions.length,
		fanOut: small.deliveries / small.events,
		shares: {
			source: Math.max(...population.sources.map(({ share }) => share)),
			endpoint: Math.max(...population.endpoints.map(({ share }) => share)),
		},
		findings: findingsFor(population, sample)
			.map((finding) => toRow(finding, small, large))
			.sort((left, right) => firstOf(left) - firstOf(right)),
		remedies: inSmallBatches.flatMap((remedy, index) => {
			const other = inLargeBatches[index];
			return other === undefined ? [] : [{ small: remedy, large: other }];
		}),
		models: modelRows(scenario.seed, scenario.rounds),
		costs: [...singleCosts(sample.messageBytes), ...populationCosts(population, small, large)],
	};
}

function toRow(finding: Finding, small: Tally, large: Tally): FindingRow {
	const { what, unit, limit, verdict, fullBy = null } = finding;
	return {
		what,
		unit,
		limit,
		verdict,
		usages: LOADS.map((load) => finding.usage(load, small)),
		fullAt: [fullAt(finding, small), fullAt(finding, large)],
		fullBy,
	};
}

function firstOf(row: FindingRow): number {
	return row.fullAt[0]?.low ?? Number.POSITIVE_INFINITY;
}
