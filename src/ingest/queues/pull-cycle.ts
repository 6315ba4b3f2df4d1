/**
 * When to poll a pulled source, as a function from (state, event, now) to (state, effects). Pure; the puller carries
 * the effects out. It polls continuously, in short runs because the platform ends long ones; SQS itself waits for
 * messages (long polling). It pauses after failures, and after an empty response that arrived immediately.
 */
import * as z from "zod";

const time = z.number();

/** The stored form. */
const pullState = z.object({
	status: z.enum(["stopped", "running", "failing"]),
	failures: z.number().int().min(0),
	lastError: z.string().nullable(),
	lastMessageAt: time.nullable(),
	run: z.object({ startedAt: time, askedAt: time, rounds: z.number().int() }),
}) satisfies z.ZodType<PullState>;

/** Reads the stored state. Returns `stopped` if there is none or a newer release wrote it in another form. */
export function readPullState(stored: unknown): PullState {
	return pullState.safeParse(stored).data ?? stopped;
}

export interface PullState {
	/** stopped: the source is paused or deleted. failing: the last round failed and will be retried. */
	status: "stopped" | "running" | "failing";
	/** Consecutive failures. */
	failures: number;
	/** The error of the last failure; null after a success. */
	lastError: string | null;
	/** ms since the epoch. */
	lastMessageAt: number | null;
	/** Times in ms since the epoch; `askedAt` is when the last round began. */
	run: { startedAt: number; askedAt: number; rounds: number };
}

export type Happened =
	/** The source was created, changed, paused or deleted. */
	| { kind: "refreshed" }
	/** The alarm fired. `source` is the current state of the source. */
	| { kind: "woken"; source: "open" | "closed" }
	| { kind: "polled"; messages: number }
	| { kind: "failed"; error: string };

export type Effect =
	| { kind: "poll" }
	/** Set the alarm. There is one alarm, so a later effect moves it. */
	| { kind: "wake"; at: number }
	/** Delete the alarm: only a change of the source starts polling again. */
	| { kind: "sleep" };

const MAX_RUN_MS = 300_000;
/** Each round makes about four requests, and an invocation may make 1,000. */
const MAX_ROUNDS = 100;
/** When to start again if the object is lost during a run. */
export const BACKSTOP_MS = 60_000;
/** Requests cost money, and not every queue honours long polling: SQS with too many messages in flight, emulators. */
const SHORTEST_WAIT_MS = 1_000;
const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 60_000;

export const stopped: PullState = {
	status: "stopped",
	failures: 0,
	lastError: null,
	lastMessageAt: null,
	run: { startedAt: 0, askedAt: 0, rounds: 0 },
};

export function step(
	state: PullState,
	happened: Happened,
	now: number,
): { state: PullState; effects: Effect[] } {
	switch (happened.kind) {
		case "refreshed":
			// The change may have fixed the cause of the failures.
			return { state: { ...state, failures: 0 }, effects: [{ kind: "wake", at: now }] };
		case "woken":
			if (happened.source === "closed") return { state: stopped, effects: [{ kind: "sleep" }] };
			return {
				state: {
					...state,
					status: state.lastError === null ? "running" : "failing",
					run: { startedAt: now, askedAt: now, rounds: 0 },
				},
				effects: [{ kind: "wake", at: now + BACKSTOP_MS }, { kind: "poll" }],
			};
		case "polled":
			return afterPoll(state, happened.messages, now);
		case "failed": {
			const failures = state.failures + 1;
			return {
				state: { ...state, status: "failing", failures, lastError: happened.error },
				effects: [{ kind: "wake", at: now + backoffMs(failures) }],
			};
		}
	}
}

function afterPoll(state: PullState, messages: number, now: number): { state: PullState; effects: Effect[] } {
	const run = { ...state.run, askedAt: now, rounds: state.run.rounds + 1 };
	const pauseMs = messages === 0 && now - state.run.askedAt < SHORTEST_WAIT_MS ? SHORTEST_WAIT_MS : 0;
	const isOver = pauseMs > 0 || run.rounds >= MAX_ROUNDS || now - run.startedAt >= MAX_RUN_MS;
	return {
		state: {
			status: "running",
			failures: 0,
			lastError: null,
			lastMessageAt: messages > 0 ? now : state.lastMessageAt,
			run,
		},
		effects: [isOver ? { kind: "wake", at: now + pauseMs } : { kind: "poll" }],
	};
}

/** 1, 2, 4, … 60 seconds. */
function backoffMs(failures: number): number {
	return Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (failures - 1));
}
