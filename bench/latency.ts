/**
 * How long an event takes from the publisher's request to the model at steady rates, and whether any event is lost or
 * duplicated. For comparison, the bare Worker that only forwards, under the same load.
 */
import { answer } from "../test/e2e/support/behaviours.ts";
import { startForwarder, startSluice } from "./pipeline.ts";
import { atMost } from "./report.ts";
import type { Part, Row } from "./report.ts";
import { measureSteady } from "./steady.ts";
import type { Steady } from "./steady.ts";

/** Budget of the design: the median on an idle machine with two cores, ms. */
const LOADS = [
	{ perSecond: 50, endpoints: 1, budget: 10 },
	{ perSecond: 200, endpoints: 1, budget: 30 },
	{ perSecond: 40, endpoints: 5, budget: 20 },
];

export async function measureLatency(isQuick: boolean): Promise<Part> {
	const seconds = isQuick ? 2 : 20;
	const rows: Row[] = [];
	const details: unknown[] = [];
	for (const { perSecond, endpoints, budget } of LOADS) {
		const behaviours = Array.from({ length: endpoints }, () => answer(204));
		const sluice = await measureOne(() => startSluice(behaviours), perSecond, seconds);
		const bare = await measureOne(() => startForwarder(behaviours), perSecond, seconds);
		details.push({ perSecond, endpoints, seconds, sluice, bare });
		const load = endpoints === 1 ? `${perSecond}/s` : `${perSecond}/s to each of ${endpoints}`;
		rows.push(
			{
				what: `${load}, p50`,
				measured: `${sluice.p50_ms} ms`,
				against: `${bare.p50_ms} ms`,
				ratio: sluice.p50_ms / bare.p50_ms,
				budget: atMost(sluice.p50_ms, budget, "ms"),
			},
			{ what: `${load}, p99`, measured: `${sluice.p99_ms} ms`, against: `${bare.p99_ms} ms` },
			{
				what: `${load}, lost and duplicated`,
				measured: `${sluice.lost} and ${sluice.doubled}`,
				against: `${bare.lost} and ${bare.doubled}`,
				budget: { text: "0 and 0", isMet: sluice.lost + sluice.doubled === 0 },
			},
		);
	}
	return { rows, details };
}

/** The first seconds are a warm-up. */
async function measureOne(
	start: () => ReturnType<typeof startSluice>,
	perSecond: number,
	seconds: number,
): Promise<Steady> {
	await using pipeline = await start();
	await measureSteady(pipeline, perSecond, Math.min(seconds, 5));
	return await measureSteady(pipeline, perSecond, seconds);
}
