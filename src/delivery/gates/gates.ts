/**
 * All gates of an endpoint combined: as many exchanges may begin as every gate allows, and the
 * first gate that allows none is the reported reason. Pure; the dispatcher keeps the state and
 * stores its durable part.
 */
import { capacity } from "./capacity.ts";
import { coldStart, failedAlone } from "./cold-start.ts";
import { type EndpointEvent, type Gate, isSuccess as isTaken, type Moment } from "./gate.ts";
import { hold } from "./hold.ts";
import { memory } from "./memory.ts";
import { pause } from "./pause.ts";
import { recovery } from "./recovery.ts";

export type { EndpointEvent, Moment } from "./gate.ts";

/**
 * In the order in which they are asked: the first reason is the one that an operator needs first.
 */
const GATES = { pause, recovery, cold_start: coldStart, hold, capacity, memory } as const;
type GateKey = keyof typeof GATES;
type StateOf<G> = G extends Gate<infer State> ? State : never;
export type GateStates = { readonly [Key in GateKey]: StateOf<(typeof GATES)[Key]> };

const KEYS = Object.keys(GATES) as GateKey[];

export type Admitted =
	| { slots: number; blockedBy: null }
	/** `until`: when it changes without an event, ms since the epoch; null if something has to happen first. */
	| { slots: 0; blockedBy: BlockedBy; until: number | null };

export type BlockedBy = (typeof GATES)[GateKey]["name"];

export const openGates: GateStates = restoreGates({});

/** How many exchanges may begin now, or why none may. */
export function admit(states: GateStates, at: Moment): Admitted {
	let slots = Number.POSITIVE_INFINITY;
	for (const key of KEYS) {
		const admission = admitBy(key, states, at);
		if ("until" in admission) return { slots: 0, blockedBy: GATES[key].name, until: admission.until };
		slots = Math.min(slots, admission.slots);
	}
	return { slots, blockedBy: null };
}

export interface After {
	states: GateStates;
	/**
	 * A delivery that turned out to cause its own failures: it spends the attempt that was not
	 * counted.
	 */
	blamed: string | null;
}

export function after(states: GateStates, event: EndpointEvent, at: Moment): After {
	const next = Object.fromEntries(KEYS.map((key) => [key, afterBy(key, states, event, at)]));
	const isSuccess = event.kind === "ended" && isTaken(event.exchange);
	const blamed = isSuccess ? failedAlone(states.cold_start, event.exchange.deliveryId) : null;
	return { states: next as unknown as GateStates, blamed };
}

/**
 * The part that survives an eviction, by gate; gates that store nothing are left
 * out.
 */
export function durableOf(states: GateStates): Record<string, unknown> {
	return Object.fromEntries(
		KEYS.flatMap((key) => {
			const part = durableBy(key, states);
			return part === undefined ? [] : [[key, part]];
		}),
	);
}

/**
 * Restores the states after an eviction. State that a newer release wrote in another form is
 * ignored.
 */
export function restoreGates(stored: unknown): GateStates {
	const parts = typeof stored === "object" && stored !== null ? stored : {};
	const restored = Object.fromEntries(
		KEYS.map((key) => {
			const gate: Gate<unknown> = GATES[key];
			const parsed = gate.schema?.safeParse(Reflect.get(parts, key));
			return [key, parsed?.success === true ? parsed.data : gate.initial];
		}),
	);
	return restored as unknown as GateStates;
}

// Each key has its own state type, which the compiler cannot follow through an index.
function gateOf(key: GateKey, states: GateStates): { gate: Gate<unknown>; state: unknown } {
	return { gate: GATES[key], state: states[key] };
}

function admitBy(key: GateKey, states: GateStates, at: Moment): ReturnType<Gate<unknown>["admit"]> {
	const { gate, state } = gateOf(key, states);
	return gate.admit(state, at);
}

function afterBy(key: GateKey, states: GateStates, event: EndpointEvent, at: Moment): unknown {
	const { gate, state } = gateOf(key, states);
	return gate.after(state, event, at);
}

function durableBy(key: GateKey, states: GateStates): unknown {
	const { gate, state } = gateOf(key, states);
	return gate.durable?.(state);
}
