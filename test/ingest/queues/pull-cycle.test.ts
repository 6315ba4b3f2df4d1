import { describe, expect, test } from "vitest";
import {
	type Effect,
	type Happened,
	type PullState,
	readPullState,
	step,
	stopped,
} from "../../../src/ingest/queues/pull-cycle.ts";

const NOW = 1_000_000_000;
const running: PullState = {
	...stopped,
	status: "running",
	run: { startedAt: NOW, askedAt: NOW, rounds: 0 },
};
const failing: PullState = { ...running, status: "failing", failures: 3, lastError: "no" };

describe("the effects of each occurrence", () => {
	test.each<[what: string, state: PullState, happened: Happened, now: number, effects: Effect[]]>([
		["a new source begins at once", stopped, { kind: "refreshed" }, NOW, [{ kind: "wake", at: NOW }]],
		[
			"a change is not kept waiting by back-off",
			failing,
			{ kind: "refreshed" },
			NOW,
			[{ kind: "wake", at: NOW }],
		],
		[
			"a run begins with an alarm behind it",
			stopped,
			{ kind: "woken", source: "open" },
			NOW,
			[{ kind: "wake", at: NOW + 60_000 }, { kind: "poll" }],
		],
		["a closed source sleeps", running, { kind: "woken", source: "closed" }, NOW, [{ kind: "sleep" }]],
		["messages: at once again", running, { kind: "polled", messages: 10 }, NOW + 1, [{ kind: "poll" }]],
		[
			"none: at once again, the wait was SQS's",
			running,
			{ kind: "polled", messages: 0 },
			NOW + 20_000,
			[{ kind: "poll" }],
		],
		[
			"none, and at once: after a second",
			running,
			{ kind: "polled", messages: 0 },
			NOW + 20,
			[{ kind: "wake", at: NOW + 1_020 }],
		],
		[
			"none, at once after a round that waited",
			{ ...running, run: { startedAt: NOW, askedAt: NOW + 20_000, rounds: 1 } },
			{ kind: "polled", messages: 0 },
			NOW + 20_020,
			[{ kind: "wake", at: NOW + 21_020 }],
		],
		[
			"a run ends after five minutes",
			running,
			{ kind: "polled", messages: 0 },
			NOW + 300_000,
			[{ kind: "wake", at: NOW + 300_000 }],
		],
		[
			"a run ends after a hundred rounds",
			{ ...running, run: { startedAt: NOW, askedAt: NOW, rounds: 99 } },
			{ kind: "polled", messages: 10 },
			NOW + 1,
			[{ kind: "wake", at: NOW + 1 }],
		],
		["a failure waits", running, { kind: "failed", error: "no" }, NOW, [{ kind: "wake", at: NOW + 1_000 }]],
		[
			"the next waits longer",
			failing,
			{ kind: "failed", error: "no" },
			NOW,
			[{ kind: "wake", at: NOW + 8_000 }],
		],
	])("%s", (_what, state, happened, now, effects) => {
		expect(step(state, happened, now).effects).toEqual(effects);
	});

	test("back-off doubles to a minute and no further", () => {
		let state = running;
		const waits: number[] = [];
		for (let round = 0; round < 9; round++) {
			const next = step(state, { kind: "failed", error: "no" }, NOW);
			state = next.state;
			for (const effect of next.effects) if (effect.kind === "wake") waits.push((effect.at - NOW) / 1000);
		}
		expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
	});
});

describe("the state after each occurrence", () => {
	test.each<[what: string, state: PullState, happened: Happened, expected: Partial<PullState>]>([
		["running, before the first answer", stopped, { kind: "woken", source: "open" }, { status: "running" }],
		[
			"still failing when it tries again",
			failing,
			{ kind: "woken", source: "open" },
			{ status: "failing", lastError: "no" },
		],
		[
			"still failing after a change, until an answer",
			failing,
			{ kind: "refreshed" },
			{ status: "failing", failures: 0, lastError: "no" },
		],
		["stopped, and nothing of before", failing, { kind: "woken", source: "closed" }, stopped],
		[
			"an answer ends the failures",
			failing,
			{ kind: "polled", messages: 0 },
			{ status: "running", failures: 0, lastError: null, lastMessageAt: null },
		],
		[
			"when it began to ask again",
			running,
			{ kind: "polled", messages: 1 },
			{ run: { startedAt: NOW, askedAt: NOW, rounds: 1 } },
		],
		["when the last message came", running, { kind: "polled", messages: 1 }, { lastMessageAt: NOW }],
		[
			"and not when none came",
			{ ...running, lastMessageAt: 5 },
			{ kind: "polled", messages: 0 },
			{ lastMessageAt: 5 },
		],
		[
			"why it failed",
			running,
			{ kind: "failed", error: "403" },
			{ status: "failing", failures: 1, lastError: "403" },
		],
		[
			"that it came before the failure",
			{ ...running, lastMessageAt: 5 },
			{ kind: "failed", error: "x" },
			{ lastMessageAt: 5 },
		],
	])("%s", (_what, state, happened, expected) => {
		expect(step(state, happened, NOW).state).toMatchObject(expected);
	});
});

describe("the stored state", () => {
	const failing: PullState = {
		status: "failing",
		failures: 3,
		lastError: "no such queue",
		lastMessageAt: 5,
		run: { startedAt: 1, askedAt: 2, rounds: 3 },
	};

	test("is read back as it was", () => {
		expect(readPullState(structuredClone(failing))).toEqual(failing);
	});

	test.each([undefined, null, "running", {}, { ...failing, status: "throttled" }, { ...failing, run: null }])(
		"counts as stopped when it is none that this release knows: %j",
		(stored) => {
			expect(readPullState(stored)).toEqual(stopped);
		},
	);
});
