/** What one endpoint delivers to slow models, with the real gates: as it is, with hands, with micro-batches. */
import { simulateEndpoint, type Work } from "./endpoint.ts";
import { LIMITS } from "./limits.ts";

export interface ModelRow {
	modelSeconds: number;
	how: string;
	work: Work;
	/** Deliveries per second that the dispatcher can take, since settling them takes calls that write: low and high. */
	borne: { low: number; high: number };
}

const MODEL_SECONDS = [0.1, 0.5, 5];
/** The maximum number of exchanges of one endpoint: a hundred hands. */
export const MOST_EXCHANGES = LIMITS.exchanges.low;
/** Deliveries per exchange. */
export const MICRO_BATCH = 16;
/** How many requests a model with its own limit accepts at once. */
const CAPACITY = 40;
const IN_PROCESS = 5;
const GATHER_SECONDS = 0.01;
const LONGER_GATHER_SECONDS = 0.1;

export function modelRows(seed: number, rounds: number): ModelRow[] {
	const ways = [
		{ how: "six connections", exchanges: LIMITS.connections.low, inProcess: LIMITS.connections.low },
		{ how: `hands, ${MOST_EXCHANGES} exchanges` },
		{ how: "  settled every 100 ms", gatherSeconds: LONGER_GATHER_SECONDS },
		{ how: `  ${MICRO_BATCH} deliveries in one exchange`, batch: MICRO_BATCH },
		{ how: `  the model accepts ${CAPACITY} at once`, capacity: CAPACITY },
	];
	return MODEL_SECONDS.flatMap((modelSeconds) =>
		ways.map(({ how, ...way }) => {
			const from = 20 * modelSeconds + 5;
			const work = simulateEndpoint({
				seed,
				modelSeconds,
				capacity: Number.POSITIVE_INFINITY,
				exchanges: MOST_EXCHANGES,
				batch: 1,
				gatherSeconds: GATHER_SECONDS,
				inProcess: IN_PROCESS,
				from,
				seconds: from + rounds * Math.max(0.25, modelSeconds),
				...way,
			});
			return { modelSeconds, how, work, borne: borneBy(work) };
		}),
	);
}

function borneBy({ perSecond, settleCalls }: Work): { low: number; high: number } {
	const within = (calls: number): number =>
		settleCalls <= calls ? perSecond : (perSecond * calls) / settleCalls;
	return { low: within(LIMITS.writingCalls.low), high: within(LIMITS.writingCalls.high) };
}
