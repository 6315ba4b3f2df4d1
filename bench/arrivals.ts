/** The arrivals of sent events: their latency, and which events are missing or duplicated. */
import type { Model } from "../test/e2e/support/receiver.ts";
import { until } from "../test/e2e/support/until.ts";
import { readPayload } from "./pipeline.ts";

/** How long to wait for a possible second request for the same event. */
const SETTLE_MS = 500;

export interface Arrivals {
	/** The latency of each arrival, from the publisher's request to the model, ms. */
	latencies: number[];
	lost: number;
	doubled: number;
	/** ms since the epoch; NaN if none has arrived. */
	lastAt: number;
}

/**
 * Waits until each model has received `events`, up to a limit; what is missing then counts as lost. Forgets them
 * afterwards, so that the next load starts from zero.
 */
export async function collectArrivals(
	models: readonly Model[],
	events: number,
	maxWaitMs: number,
): Promise<Arrivals> {
	const haveAll = () => models.every(({ requests }) => requests.length >= events) || null;
	await until("the last events", haveAll, maxWaitMs).catch(() => null);
	await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

	const all = { latencies: [] as number[], lost: 0, doubled: 0, lastAt: Number.NaN };
	for (const { requests } of models) {
		const numbers = new Set<number>();
		for (const request of requests.splice(0)) {
			const { number, sentAt } = readPayload(request);
			if (numbers.has(number)) all.doubled += 1;
			numbers.add(number);
			all.latencies.push(request.at - sentAt);
			all.lastAt = Math.max(request.at, all.lastAt || request.at);
		}
		all.lost += events - numbers.size;
	}
	return all;
}
