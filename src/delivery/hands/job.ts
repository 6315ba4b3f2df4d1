/**
 * The messages between a dispatcher and its hands. Shapes only; they are passed between Durable
 * Objects.
 */
import type { AttemptResult, OutgoingRequest } from "../rules/attempt.ts";

/** One exchange to carry out. */
export interface Job {
	deliveryId: string;
	/** The delivery's position, used to find it again. */
	position: number;
	/** When the attempt began, ms since the epoch. */
	startedAt: number;
	request: OutgoingRequest;
	/** For connecting, headers and body together. */
	timeoutMs: number;
	/**
	 * Set if the exchange polls or cancels a job: a later life of the dispatcher does not need its
	 * outcome.
	 */
	isStep?: true;
}

/** A job that a hand has, without its request. */
export type Held = Pick<Job, "deliveryId" | "position" | "startedAt" | "timeoutMs" | "isStep"> & {
	/** Identifies this lease: the same delivery may be leased again later. */
	token: string;
};

export type LeasedJob = Job & Held;

/** How a leased exchange ended. */
export interface Outcome {
	held: Held;
	result: AttemptResult;
}

export interface Roll {
	/** Changes with every restart: what the hand had before is lost. */
	incarnation: string;
	/**
	 * The exchanges in progress, and those that have ended and are not settled yet.
	 */
	held: Held[];
}

/** Identifies a hand by the endpoint of its dispatcher and its number. */
export interface HandName {
	endpointId: string;
	/** From 1. */
	number: number;
}

export interface HandRpc extends Rpc.DurableObjectBranded {
	/**
	 * Begins jobs and returns at once; a job that the hand already has is not begun
	 * again.
	 */
	take(name: HandName, jobs: LeasedJob[]): { incarnation: string };
	/**
	 * Returns what the hand has; can be called at any time. The calls also keep the
	 * hand awake while it works.
	 */
	callRoll(name: HandName): Roll;
}
