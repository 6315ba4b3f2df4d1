/**
 * How many requests an endpoint takes at once, learnt from what it refuses: the limit becomes what it had accepted when
 * it refused one more, and is tried upwards slowly, ever more slowly while that is refused.
 */
import * as z from "zod";
import type { EndedExchange, Gate } from "./gate.ts";

/** Successes in a row before one request more is tried. */
const FIRST_PATIENCE = 20;
const LONGEST_PATIENCE = 1_280;

const schema = z.object({
	/** null: as many as the endpoint's owner allows, so that a change of that number takes effect. */
	limit: z.number().int().min(1).nullable(),
	/** Successes in a row under this limit. */
	successes: z.number().int().min(0),
	patience: z.number().int().min(1),
	/** Whether the limit was raised and nothing has confirmed it yet. */
	isTrying: z.boolean(),
});
export type Capacity = z.output<typeof schema>;

const initial: Capacity = { limit: null, successes: 0, patience: FIRST_PATIENCE, isTrying: false };

export const capacity: Gate<Capacity> = {
	name: "capacity",
	initial,
	schema,
	// A row for each change of the limit, not for each success.
	durable: ({ limit, patience, isTrying }) => ({ limit, successes: 0, patience, isTrying }),
	admit: ({ limit }, { inFlight, maxConcurrency }) => {
		const slots = Math.max(0, Math.min(limit ?? maxConcurrency, maxConcurrency) - inFlight);
		return slots > 0 ? { slots } : { slots: 0, until: null };
	},
	after: (state, event, { maxConcurrency }) => {
		if (event.kind === "repaired") return initial;
		const { exchange } = event;
		if (exchange.outcome === "busy") return afterBusy(state, exchange);
		if (exchange.outcome === "done") return afterDone(state, maxConcurrency);
		// An error breaks a run of successes; the other outcomes say nothing of load.
		return exchange.outcome === "error" ? { ...state, successes: 0 } : state;
	},
};

function afterBusy(state: Capacity, { others }: EndedExchange): Capacity {
	const accepted = Math.max(1, Math.min(others, state.limit ?? others));
	const patience = state.isTrying ? Math.min(state.patience * 2, LONGEST_PATIENCE) : state.patience;
	return { limit: accepted, successes: 0, patience, isTrying: false };
}

function afterDone(state: Capacity, max: number): Capacity {
	const { limit, patience, isTrying } = state;
	if (limit === null) return state;
	const successes = state.successes + 1;
	if (successes < patience) return { ...state, successes };
	// As many successes again: what was tried is confirmed, and the endpoint may take much more by now.
	const next = isTrying ? FIRST_PATIENCE : patience;
	return limit + 1 >= max
		? { ...initial, patience: next, isTrying: true }
		: { limit: limit + 1, successes: 0, patience: next, isTrying: true };
}
