/**
 * What a task is: one kind of work that a delivery can be due for. To add one, add a file here and
 * a line in tasks.ts.
 */
import type { Env } from "../../env.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import type { EndpointSettings, Settings } from "../../store/views/settings.ts";
import type { Job } from "../hands/job.ts";
import type { AttemptResult, Outcome, Scope } from "../rules/attempt.ts";
import type { Delivery } from "../rules/delivery.ts";
import type { Signal } from "../rules/delivery-event.ts";
import type { ModelJob, Owed } from "../rules/state.ts";

export type TaskName = "send" | "poll" | "publish";

/** A job, as its server names it. */
export type CancelableJob = Pick<ModelJob, "handle">;

/** What a task can use besides the delivery. */
export interface TaskIo {
	env: Env;
	/**
	 * Carries out an exchange. Returns null if it was lost and its outcome is unknown. Never throws.
	 */
	exchange: (this: void, job: Job) => Promise<AttemptResult | null>;
	/**
	 * Tells the server, if possible, that the job is no longer needed: `job`, or the one that the delivery waits for.
	 * Returns at once; never throws.
	 */
	cancelJob(
		delivery: Delivery,
		settings: Pick<EndpointSettings, "ownHosts"> & { endpoint: ReadableEndpoint },
		job?: CancelableJob,
	): void;
	/**
	 * The delivery as it is now: an earlier exchange may have ended while this one was in progress.
	 */
	current(delivery: Delivery): Delivery;
	/** Resolves when no callback is ending the delivery. Never throws. */
	whenTold(id: string): Promise<void>;
	/** Like `whenTold`, once there is a response to judge: later callbacks then wait until it is judged. Never throws. */
	settling(id: string): Promise<void>;
	/** Whether anything has succeeded at the endpoint since a moment, ms since the epoch. */
	succeededSince(at: number): boolean;
}

/** What is reported to the endpoint's gates about an exchange. */
export interface Ended {
	outcome: Outcome;
	scope: Scope;
	/** How long the endpoint asked the router to wait; null if it did not. */
	retryAfterMs: number | null;
}

/** The result of running a task. */
export interface Ran {
	/** Not yet written. */
	delivery: Delivery;
	/** How the exchange ended; null if nothing was sent. */
	ended: Ended | null;
	signals: readonly Signal[];
	/** The response began a job, although a callback had ended the delivery before. */
	unwanted?: CancelableJob;
}

export interface Task {
	readonly name: TaskName;
	/** Deliveries in this phase are due for the task. */
	readonly phase: Owed["phase"];
	/**
	 * Whether the task waits for the endpoint's gates; one that does not also runs while the endpoint
	 * is stopped or deleted.
	 */
	readonly passesGates: boolean;
	/** How many may be in progress at once, in addition to the limits of the gates. */
	readonly atOnce: number;
	/** Processes one claimed delivery as far as possible now. If it throws, that is a bug in the router. */
	run(delivery: Delivery, settings: Settings, io: TaskIo): Promise<Ran>;
}
