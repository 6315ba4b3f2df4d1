/** The whole simulation: from a seed to everything that the report says. The same seed gives the same figures. */
import { answersFor, type Answer } from "./answers.ts";
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
	/** Events that are drawn and routed. */
	events: number;
	/** For how many times the model's own time an endpoint is watched. */
	rounds: number;
}

export interface FindingRow extends Omit<Finding, "usage" | "fullBy"> {
	/** At each of LOADS, in batches of ten. */
	usages: number[];
	/** Events a second at which it is full, in batches of ten and of a hundred. */
	fullAt: Range[];
	/** What it is full of instead, where the load changes nothing. */
	fullBy: string | null;
}

export interface Results {
	scenario: Scenario;
	subscriptions: number;
	/** Deliveries of an event, on average. */
	fanOut: number;
	/** Share of the busiest source and of the busiest endpoint, in all events and deliveries of an event. */
	shares: { source: number; endpoint: number };
	findings: FindingRow[];
	answers: { small: Answer; large: Answer }[];
	models: ModelRow[];
	costs: CostRow[];
}

export async function simulate(scenario: Scenario): Promise<Results> {
	const population = makePopulation(scenario);
	const sample = await drawSample(population, scenario.events);
	const small = await route(sample, { batch: SMALL_BATCH });
	const large = await route(sample, { batch: LARGE_BATCH });
	const answersSmall = await answersFor(population, sample, HIGHEST, SMALL_BATCH);
	const answersLarge = await answersFor(population, sample, HIGHEST, LARGE_BATCH);
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
		answers: answersSmall.flatMap((answer, index) => {
			const other = answersLarge[index];
			return other === undefined ? [] : [{ small: answer, large: other }];
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
