/**
 * What subscriptions to other types cost an event that does not match them: routing with many of them against routing
 * with ten. Also the cost of reading them all, which the router does once after each change.
 */
import { connect } from "../test/e2e/support/api.ts";
import type { Api, Subscription } from "../test/e2e/support/api.ts";
import { atMost } from "./report.ts";
import type { Part } from "./report.ts";
import { median, round } from "./stats.ts";
import { startWorker } from "./worker.ts";

/** Budget of the design: 10,000 subscriptions to other types against ten. */
const BUDGET = 1.2;
const KEY = "bench-root-key";
const FEW = 10;
/** The number of endpoints that these subscriptions are spread over. */
const ENDPOINTS = 100;
const BATCH = 100;
const DECISIONS = 2_000;
/** Far fewer rounds than for the others, because each reads thousands of rows. */
const READS = 10;
const WARM_UP = 3;
const CREATED_AT_ONCE = 16;

export async function measureRouting(isQuick: boolean): Promise<Part> {
	const { subscriptions, rounds } = isQuick
		? { subscriptions: 500, rounds: 10 }
		: { subscriptions: 10_000, rounds: 100 };
	const few = await startRouter(FEW);
	const many = await startRouter(subscriptions).catch(async (error: unknown) => {
		await few.stop();
		throw error;
	});
	try {
		const route = await alternate(rounds, few, many, timeRouting);
		const decide = await alternate(rounds, few, many, timeDecisions);
		const read = await alternate(READS, few, many, timeReading);
		return {
			rows: [
				{
					what: `an event among ${subscriptions} subscriptions`,
					...compare(route, 0, "µs"),
					...budget(route),
				},
				{ what: "of this, the decision alone", ...compare(decide, 1, "µs"), ...budget(decide) },
				{ what: "reading the table after a change", ...compare(read, 1, "ms") },
			],
			details: { subscriptions, route, decide, read },
		};
	} finally {
		await few.stop();
		await many.stop();
	}
}

interface Times {
	few: number[];
	many: number[];
}

function compare({ few, many }: Times, digits: number, unit: string) {
	return {
		measured: `${round(median(many), digits)} ${unit}`,
		against: `${round(median(few), digits)} ${unit}`,
	};
}

function budget({ few, many }: Times) {
	const ratio = round(median(many) / median(few), 2);
	return { ratio, budget: atMost(ratio, BUDGET) };
}

interface Router {
	/** Calls one of the additional routes of routing/worker.ts. Returns how long it took, in ms. */
	time(door: "route" | "decide", events: number): Promise<number>;
	/** Changes a subscription, and with it the version of the table. */
	change(): Promise<void>;
	stop(): Promise<void>;
}

/** Measures both alternately, so that a machine that slows down slows both. The one that goes first alternates too. */
async function alternate(
	rounds: number,
	few: Router,
	many: Router,
	measure: (router: Router) => Promise<number>,
): Promise<Times> {
	const times: Times = { few: [], many: [] };
	for (let count = 0; count < WARM_UP + rounds; count += 1) {
		const isFewFirst = count % 2 === 0;
		const first = await measure(isFewFirst ? few : many);
		const second = await measure(isFewFirst ? many : few);
		if (count < WARM_UP) continue;
		times.few.push(round(isFewFirst ? first : second, 3));
		times.many.push(round(isFewFirst ? second : first, 3));
	}
	return times;
}

/** µs per event through the whole consumer, in a full batch. */
async function timeRouting(router: Router): Promise<number> {
	return ((await router.time("route", BATCH)) * 1000) / BATCH;
}

/** µs per decision alone. */
async function timeDecisions(router: Router): Promise<number> {
	return ((await router.time("decide", DECISIONS)) * 1000) / DECISIONS;
}

/** How much longer an empty batch takes after a change, in ms. */
async function timeReading(router: Router): Promise<number> {
	const unchanged = await router.time("route", 0);
	await router.change();
	return (await router.time("route", 0)) - unchanged;
}

/** A router with one subscription that its events match, and `others` that they do not. */
async function startRouter(others: number): Promise<Router> {
	const worker = await startWorker({
		config: "wrangler.toml",
		entry: "bench/routing/worker.ts",
		vars: { ADMIN_TOKEN: KEY },
		consumer: "own",
	});
	const api = connect(worker.url, KEY);
	const matching = await subscribe(api, others).catch(async (error: unknown) => {
		await worker.stop();
		throw error;
	});
	return {
		async time(door, events) {
			const startedAt = performance.now();
			const response = await fetch(`${worker.url}/bench/${door}?events=${events}`);
			const result = (await response.json()) as { done: number };
			const ms = performance.now() - startedAt;
			if (result.done !== events)
				throw new Error(`${door}: only ${result.done} of ${events} events were processed.`);
			return ms;
		},
		change: async () => void (await api.must("POST", `/v1/subscriptions/${matching.id}/resume`)),
		stop: () => worker.stop(),
	};
}

/** The endpoint that receives the events is paused, so routing ends when its dispatcher has stored them. */
async function subscribe(api: Api, others: number): Promise<Subscription> {
	const endpoints: string[] = [];
	for (let number = 0; number < Math.min(others, ENDPOINTS); number += 1) {
		endpoints.push((await api.createEndpoint({ url: "https://models.example.com/" })).id);
	}
	let next = 0;
	await Promise.all(
		Array.from({ length: CREATED_AT_ONCE }, async () => {
			while (next < others) {
				const number = next++;
				const endpoint = endpoints[number % endpoints.length] ?? "";
				await api.createSubscription({ endpoint, types: [otherType(number)] });
			}
		}),
	);
	const paused = await api.createEndpoint({ url: "https://models.example.com/" });
	await api.must("POST", `/v1/endpoints/${paused.id}/pause`);
	return api.createSubscription({ endpoint: paused.id, types: ["document.*"] });
}

/** Every tenth one is a prefix, like a team's subscription to everything that it publishes. */
function otherType(number: number): string {
	return number % 10 === 0 ? `team-${number}.*` : `team-${number % 1000}.scan-${number}.inserted`;
}
