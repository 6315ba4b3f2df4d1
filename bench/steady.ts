/** A load at a steady rate, and how late its events are. */
import type { Model } from "../test/e2e/support/receiver.ts";
import { collectArrivals } from "./arrivals.ts";
import { post, sendSteadily } from "./load.ts";
import type { Pipeline } from "./pipeline.ts";
import { quantile } from "./stats.ts";

const WAIT_FOR_THE_LAST_MS = 30_000;

export interface Steady {
	p50_ms: number;
	p99_ms: number;
	lost: number;
	doubled: number;
}

/**
 * Publishes at a steady rate and measures at `models`, by default all of them.
 *
 * @throws {Error} when an event is not accepted
 */
export async function measureSteady(
	{ shot, agent, models }: Pipeline,
	perSecond: number,
	seconds: number,
	watched: readonly Model[] = models,
): Promise<Steady> {
	await sendSteadily(perSecond, seconds, async (number) => {
		const status = await post(shot(number), agent);
		if (status !== 202) throw new Error(`Ingest responded with ${status} instead of 202.`);
	});
	const { latencies, lost, doubled } = await collectArrivals(
		watched,
		perSecond * seconds,
		WAIT_FOR_THE_LAST_MS,
	);
	return { p50_ms: quantile(latencies, 0.5), p99_ms: quantile(latencies, 0.99), lost, doubled };
}
