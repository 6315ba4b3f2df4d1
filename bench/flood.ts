/**
 * A flood: events are sent as fast as they are accepted. Measures how many a second reach the model, compared with a
 * bare Worker that only forwards. Behind the proxy of `wrangler dev`, which costs both the same for each event, the
 * ratio looks better: 0.43 instead of 0.25.
 */
import { answer } from "../test/e2e/support/behaviours.ts";
import { collectArrivals } from "./arrivals.ts";
import { saturate } from "./load.ts";
import { startForwarder, startSluice } from "./pipeline.ts";
import type { Pipeline } from "./pipeline.ts";
import { atLeast } from "./report.ts";
import type { Part } from "./report.ts";
import { median, round } from "./stats.ts";

/** Budget of the design: events delivered a second, compared with the bare Worker. */
const BUDGET = 0.6;
const AIM = 0.75;
const CONNECTIONS = 32;
const WAIT_FOR_THE_LAST_MS = 120_000;

interface Flood {
	acceptedPerSecond: number;
	deliveredPerSecond: number;
	lost: number;
	doubled: number;
}

export async function measureFlood(isQuick: boolean): Promise<Part> {
	const { rounds, events } = isQuick ? { rounds: 1, events: 500 } : { rounds: 3, events: 3_000 };
	await using sluice = await startSluice([answer(204)]);
	await using bare = await startForwarder([answer(204)]);
	await flood(bare, events / 5);
	await flood(sluice, events / 5);
	const floods: { sluice: Flood; bare: Flood }[] = [];
	// Alternating, so that a machine that slows down slows both.
	for (let count = 0; count < rounds; count += 1) {
		floods.push({ bare: await flood(bare, events), sluice: await flood(sluice, events) });
	}
	const compare = (of: (flood: Flood) => number) => ({
		measured: `${round(median(floods.map(({ sluice }) => of(sluice))), 0)}/s`,
		against: `${round(median(floods.map(({ bare }) => of(bare))), 0)}/s`,
		ratio: median(floods.map(({ sluice, bare }) => of(sluice) / of(bare))),
	});
	const total = (of: (flood: Flood) => number) => floods.reduce((sum, { sluice }) => sum + of(sluice), 0);
	const delivered = compare(({ deliveredPerSecond }) => deliveredPerSecond);
	const [lost, doubled] = [total(({ lost }) => lost), total(({ doubled }) => doubled)];
	return {
		rows: [
			{ what: "accepted", ...compare(({ acceptedPerSecond }) => acceptedPerSecond) },
			{
				what: "delivered",
				...delivered,
				budget: atLeast(delivered.ratio, BUDGET, `(aim ${AIM})`),
			},
			{
				what: `lost and duplicated, of ${rounds * events}`,
				measured: `${lost} and ${doubled}`,
				budget: { text: "0 and 0", isMet: lost + doubled === 0 },
			},
		],
		details: floods,
	};
}

async function flood({ shot, models }: Pipeline, events: number): Promise<Flood> {
	const startedAt = Date.now();
	const load = { shot, connections: CONNECTIONS, maxRequests: events, maxSeconds: Number.POSITIVE_INFINITY };
	const acceptedPerSecond = await saturate(load);
	const { lastAt, lost, doubled } = await collectArrivals(models, events, WAIT_FOR_THE_LAST_MS);
	return {
		acceptedPerSecond,
		deliveredPerSecond: ((events - lost) * 1000) / (lastAt - startedAt),
		lost,
		doubled,
	};
}
