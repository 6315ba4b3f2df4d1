/**
 * A refused connection while nothing succeeds says something about the endpoint: it has not started yet, or is down.
 * It is probed with one request at a time, after 1, 2, 4 … 15 s, each for a different delivery, and none of them
 * spends an attempt. If one succeeds after another delivery alone had failed, the failure is charged to that delivery:
 * it may be what crashes the model.
 */
import * as z from "zod";
import { backOff } from "../rules/schedule.ts";
import type { Gate } from "./gate.ts";

const LONGEST_MS = 15_000;
const KEPT_IDS = 2;

const schema = z.object({
	/** Nothing is sent before this time, ms since the epoch. */
	until: z.number(),
	/** Refused connections since the last success. */
	failures: z.number().int().min(0),
	/** Deliveries whose connections were refused, at most two. */
	failed: z.array(z.string()).max(KEPT_IDS),
});
export type ColdStart = z.output<typeof schema>;

const initial: ColdStart = { until: 0, failures: 0, failed: [] };

export const coldStart: Gate<ColdStart> = {
	name: "cold_start",
	initial,
	schema,
	durable: (state) => state,
	admit: ({ until, failures }, { now, inFlight }) => {
		if (failures === 0) return { slots: Number.POSITIVE_INFINITY };
		if (until > now) return { slots: 0, until };
		return inFlight === 0 ? { slots: 1 } : { slots: 0, until: null };
	},
	after: (state, event, { now, random }) => {
		if (event.kind === "repaired") return initial;
		const { outcome, scope, deliveryId, others } = event.exchange;
		if (outcome === "busy" && scope === "endpoint") {
			const failed = [...new Set([...state.failed, deliveryId])].slice(0, KEPT_IDS);
			// Connections refused in one burst count as one failure: the wait starts at the last
			// of them.
			const failures = others > 0 && state.failures > 0 ? state.failures : state.failures + 1;
			return { until: now + backOff(failures - 1, LONGEST_MS, random), failures, failed };
		}
		// Any other outcome, including a timeout, is not a refused connection: the run of
		// failures ends here.
		return state.failures === 0 ? state : initial;
	},
};

/**
 * The delivery that failed alone, once another one has succeeded; null if several failed, or if it
 * is the one that succeeded.
 */
export function failedAlone({ failed }: ColdStart, succeeded: string): string | null {
	const [only, another] = failed;
	return only === undefined || another !== undefined || only === succeeded ? null : only;
}
