/**
 * How many requests an endpoint takes at once, learned from its refusals: the limit becomes the number that it had
 * accepted when it refused one more. The limit is then raised slowly, and more slowly each time that a raise is
 * refused. If refusals are rarer than a single excess request would cause, they say nothing about a limit: a server
 * with one faulty replica refuses like that.
 */
import * as z from "zod";
import { type Gate, isSuccess } from "./gate.ts";

/** Successes in a row before the limit is raised by one. */
const FIRST_PATIENCE = 20;
const LONGEST_PATIENCE = 1_280;
/** How many of the latest exchanges a refusal is compared with. */
const WEIGHED = 100;

const schema = z.object({
	/** null: as many as `max_concurrency` allows, so that a change of that setting takes effect. */
	limit: z.number().int().min(1).nullable(),
	/** Successes in a row under this limit. */
	successes: z.number().int().min(0),
	patience: z.number().int().min(1),
	/** Whether the limit was raised and no success has confirmed it yet. */
	isTrying: z.boolean(),
	/** How exchanges have ended under this limit; not stored. */
	recent: z.object({ done: z.number(), busy: z.number() }).default({ done: 0, busy: 0 }),
});
export type Capacity = z.output<typeof schema>;

const initial: Capacity = {
	limit: null,
	successes: 0,
	patience: FIRST_PATIENCE,
	isTrying: false,
	recent: { done: 0, busy: 0 },
};

export const capacity: Gate<Capacity> = {
	name: "capacity",
	initial,
	schema,
	// A row is written for each change of the limit, not for each success.
	durable: ({ limit, patience, isTrying }) => ({ ...initial, limit, patience, isTrying }),
	admit: ({ limit }, { inFlight, jobs, maxConcurrency }) => {
		const slots = Math.max(0, Math.min(limit ?? maxConcurrency, maxConcurrency) - inFlight - jobs);
		return slots > 0 ? { slots } : { slots: 0, until: null };
	},
	after: (state, event, { jobs, maxConcurrency }) => {
		if (event.kind === "repaired") return initial;
		const { exchange } = event;
		if (exchange.outcome === "busy") {
			return afterBusy(weigh(state, "busy"), exchange.others + jobs, maxConcurrency);
		}
		if (isSuccess(exchange)) return afterDone(weigh(state, "done"), maxConcurrency);
		// An error ends a run of successes; the other outcomes say nothing about load.
		return exchange.outcome === "error" ? { ...state, successes: 0 } : state;
	},
};

/** Older exchanges count less and less. */
function weigh(state: Capacity, end: "done" | "busy"): Capacity {
	const { done, busy } = state.recent;
	const fading = done + busy >= WEIGHED ? (WEIGHED - 1) / WEIGHED : 1;
	const recent = { done: done * fading, busy: busy * fading };
	return { ...state, recent: { ...recent, [end]: recent[end] + 1 } };
}

/**
 * With one request too many, at least one in `limit` is refused: fewer refusals are no sign
 * of a limit.
 */
function isRare({ done, busy }: Capacity["recent"], limit: number): boolean {
	return busy * limit < done + busy;
}

function afterBusy(state: Capacity, others: number, max: number): Capacity {
	const limit = Math.min(state.limit ?? max, max);
	if (isRare(state.recent, limit)) return state;
	// If all exchanges end at once, the last of them see no others in progress, so one refusal halves the limit at
	// most.
	const accepted = Math.max(1, Math.min(limit, Math.max(others, Math.floor(limit / 2))));
	const patience = state.isTrying ? Math.min(state.patience * 2, LONGEST_PATIENCE) : state.patience;
	return { ...initial, limit: accepted, patience };
}

function afterDone(state: Capacity, max: number): Capacity {
	const { limit, patience, isTrying } = state;
	if (limit === null) return state;
	const successes = state.successes + 1;
	if (successes < patience) return { ...state, successes };
	// As many successes again confirm the raise, and the endpoint may take much more by now.
	const next = isTrying ? FIRST_PATIENCE : patience;
	return limit + 1 >= max
		? { ...initial, patience: next, isTrying: true }
		: { ...initial, limit: limit + 1, patience: next, isTrying: true };
}
