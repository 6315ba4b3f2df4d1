/**
 * What a task is: one thing that a delivery can be due for. A new one is a file beside this one and a line in tasks.ts.
 */
import type { Env } from "../../env.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import type { EndpointSettings, Settings } from "../../store/settings.ts";
import type { Job } from "../hands/job.ts";
import type { AttemptResult, Outcome, Scope } from "../rules/attempt.ts";
import type { Delivery } from "../rules/delivery.ts";
import type { Signal } from "../rules/lifecycle.ts";
import type { Owed } from "../rules/state.ts";

export type TaskName = "send" | "poll" | "publish";

/** What tasks are given of the world. */
export interface TaskIo {
	env: Env;
	/** Carries an exchange out. Returns null when it was lost, and nobody knows how it ended. Never throws. */
	exchange: (this: void, job: Job) => Promise<AttemptResult | null>;
	/** Tells the server that nobody waits for the job any more, where it can be told. Returns at once; never throws. */
	cancelJob(
		delivery: Delivery,
		settings: Pick<EndpointSettings, "ownHosts"> & { endpoint: ReadableEndpoint },
	): void;
	/** The delivery as it is now: the end of an earlier exchange may have come while this one was under way. */
	current(delivery: Delivery): Delivery;
	/** Whether anything has succeeded at the endpoint since a moment, ms since the epoch. */
	succeededSince(at: number): boolean;
}

/** What the endpoint's gates are told of an exchange. */
export interface Ended {
	outcome: Outcome;
	scope: Scope;
	/** How long the endpoint asked to be left alone; null when it did not. */
	retryAfterMs: number | null;
}

/** What a task has made of a delivery. */
export interface Ran {
	/** Not yet written. */
	delivery: Delivery;
	/** How the exchange ended; null when nothing was sent. */
	ended: Ended | null;
	signals: readonly Signal[];
}

export interface Task {
	readonly name: TaskName;
	/** Deliveries in this phase are due for it. */
	readonly phase: Owed["phase"];
	/** Whether it waits for the endpoint's gates; what does not goes on while the endpoint is stopped or gone. */
	readonly passesGates: boolean;
	/** Under way at once, besides what the gates say. */
	readonly atOnce: number;
	/** Takes one claimed delivery as far as it goes now. What it throws is a bug of ours. */
	run(delivery: Delivery, settings: Settings, io: TaskIo): Promise<Ran>;
}
