/** What a dispatcher and its hands tell each other. Shapes only; they cross from object to object. */
import type { AttemptResult, OutgoingRequest } from "../rules/attempt.ts";

/** One exchange to carry out. */
export interface Job {
	deliveryId: string;
	/** The delivery's position, by which it is found again. */
	position: number;
	/** When the attempt began, ms since the epoch. */
	startedAt: number;
	request: OutgoingRequest;
	/** For connecting, headers and body together. */
	timeoutMs: number;
	/** Set where it asks about a job, or cancels one: what came of it is of no interest to a later life. */
	isStep?: true;
}

/** A job that a hand has, without its request. */
export type Held = Pick<Job, "deliveryId" | "position" | "startedAt" | "timeoutMs" | "isStep"> & {
	/** Names this lease: the same delivery may be leased again later. */
	token: string;
};

export type LeasedJob = Job & Held;

/** How a leased exchange ended. */
export interface Outcome {
	held: Held;
	result: AttemptResult;
}

export interface Roll {
	/** Another one after every restart: what the hand had before is lost. */
	incarnation: string;
	/** What it is carrying out, and what has ended and is not settled yet. */
	held: Held[];
}

/** Which hand speaks, to whom it belongs, and in which of its lives. */
export interface HandName {
	endpointId: string;
	/** From 1. */
	number: number;
}

export interface HandRpc extends Rpc.DurableObjectBranded {
	/** Begins jobs and returns at once; a job that it has already is not begun again. */
	take(name: HandName, jobs: LeasedJob[]): { incarnation: string };
	/** What it has, told at any time; also what keeps it awake while it works. */
	callRoll(name: HandName): Roll;
}
