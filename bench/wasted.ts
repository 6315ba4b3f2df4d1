/**
 * How many requests are wasted on a model that accepts two at a time and responds with 503 to a third: whether the
 * router finds out how much a model can take, and stays within that.
 */
import type { Behaviour } from "../test/e2e/support/receiver.ts";
import { until } from "../test/e2e/support/until.ts";
import { saturate } from "./load.ts";
import { startSluice } from "./pipeline.ts";
import { atMost } from "./report.ts";
import type { Part } from "./report.ts";
import { round } from "./stats.ts";

/** Budget of the design: percent of all requests that are refused. */
const BUDGET_PERCENT = 5;
const ADMITTED = 2;
/** How long the model takes for one request. */
const SERVICE_MS = 40;
const MAX_SECONDS = 180;

export async function measureWasted(isQuick: boolean): Promise<Part> {
	const events = isQuick ? 50 : 500;
	const server = { open: 0, done: 0, refused: 0 };
	const admitTwo: Behaviour = (response) => {
		if (server.open >= ADMITTED) {
			server.refused += 1;
			response.writeHead(503).end();
			return;
		}
		server.open += 1;
		setTimeout(() => {
			server.open -= 1;
			server.done += 1;
			response.writeHead(204).end();
		}, SERVICE_MS);
	};
	await using sluice = await startSluice([admitTwo]);
	const startedAt = performance.now();
	await saturate({ shot: sluice.shot, connections: 8, maxRequests: events, maxSeconds: MAX_SECONDS });
	// Events that are still missing then show in the table.
	await until("the last event", () => server.done >= events || null, MAX_SECONDS * 1000).catch(() => null);
	const seconds = round((performance.now() - startedAt) / 1000, 1);
	const percent = round((100 * server.refused) / (server.refused + server.done), 1);
	return {
		rows: [
			{
				what: `refused, of ${server.refused + server.done} requests`,
				measured: `${percent} %`,
				budget: atMost(percent, BUDGET_PERCENT, "%"),
			},
			{
				what: `until ${server.done} of ${events} events were processed`,
				measured: `${seconds} s`,
				against: `${(events * SERVICE_MS) / ADMITTED / 1000} s`,
			},
		],
		details: { ...server, seconds },
	};
}
