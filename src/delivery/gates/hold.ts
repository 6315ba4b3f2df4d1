/**
 * Nothing is sent while the endpoint has asked the router to wait, or for a while after it was busy repeatedly with no
 * success in between. One request that is always refused does not block the others, because this requires refusals of
 * different deliveries with nothing else in flight. Afterwards one request is sent at a time, until one succeeds.
 */
import * as z from "zod";
import { backOff, jitterUp, MAX_DELAY_MS } from "../rules/schedule.ts";
import { type EndedExchange, type Gate, isSuccess, type Moment } from "./gate.ts";

const LONGEST_MS = 60_000;
/** Ids kept, to see whether different deliveries were refused. */
const KEPT_IDS = 2;

const schema = z.object({
	/**
	 * The end of the wait that `Retry-After` asked for, ms since the epoch; a success
	 * does not end it.
	 */
	askedUntil: z.number(),
	/**
	 * The end of the router's own wait after several refusals in a row; the next
	 * success ends it.
	 */
	ownUntil: z.number(),
	/** Busy responses since the last success. */
	refusals: z.number().int().min(0),
	/** Deliveries that were refused since then, at most two. */
	refused: z.array(z.string()).max(KEPT_IDS),
});
export type Hold = z.output<typeof schema>;

const initial: Hold = { askedUntil: 0, ownUntil: 0, refusals: 0, refused: [] };

export const hold: Gate<Hold> = {
	name: "hold",
	initial,
	schema,
	durable: (state) => state,
	admit: (state, { now, inFlight }) => {
		const until = Math.max(state.askedUntil, state.ownUntil);
		if (until > now) return { slots: 0, until };
		if (!isEndpointWide(state)) return { slots: Number.POSITIVE_INFINITY };
		return inFlight === 0 ? { slots: 1 } : { slots: 0, until: null };
	},
	after: (state, event, at) => {
		if (event.kind === "repaired") return initial;
		const { exchange } = event;
		if (exchange.outcome === "busy" && exchange.scope === "request") return afterBusy(state, exchange, at);
		if (!isSuccess(exchange) || (state.refusals === 0 && state.ownUntil === 0)) return state;
		return { ...initial, askedUntil: state.askedUntil };
	},
};

function isEndpointWide({ refused }: Hold): boolean {
	return refused.length >= KEPT_IDS;
}

function afterBusy(state: Hold, { deliveryId, retryAfterMs, others }: EndedExchange, at: Moment): Hold {
	const refused = [...new Set([...state.refused, deliveryId])].slice(0, KEPT_IDS);
	const refusals = state.refusals + 1;
	const next = { ...state, refused, refusals };
	const askedUntil =
		retryAfterMs === null
			? state.askedUntil
			: Math.max(state.askedUntil, at.now + Math.min(jitterUp(retryAfterMs, at.random), MAX_DELAY_MS));
	// With other exchanges in flight, the capacity limit handles it: the endpoint can take as many
	// as it accepted.
	const isHeld = others + at.jobs === 0 && isEndpointWide(next);
	const ownMs = isHeld ? backOff(refusals - KEPT_IDS, LONGEST_MS, at.random) : 0;
	return { ...next, askedUntil, ownUntil: ownMs === 0 ? state.ownUntil : at.now + ownMs };
}
