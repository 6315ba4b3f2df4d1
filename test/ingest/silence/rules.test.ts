import { expect, test } from "vitest";
import { judgeSilence, NOT_SILENT, type Silence } from "../../../src/ingest/silence/rules.ts";
import { WINDOW_MS } from "../../../src/operations/windows.ts";

const WINDOW = 6_000;
const NOW = WINDOW * WINDOW_MS;
const MINUTE = 60_000;

/** Times in minutes before now. */
interface Case {
	last: number | null;
	changed: number;
	every: number;
	silentSince?: number;
	windows?: Silence["windows"];
}

function judge({ last, changed, every, silentSince, windows = {} }: Case) {
	const before = silentSince === undefined ? null : NOW - silentSince * MINUTE;
	const { silence, tell, nextAt } = judgeSilence(
		{ since: before, windows },
		{
			lastAt: last === null ? null : NOW - last * MINUTE,
			changedAt: NOW - changed * MINUTE,
			everyMs: every * MINUTE,
			now: NOW,
		},
	);
	return {
		tell,
		silentSince: silence.since === null ? null : (NOW - silence.since) / MINUTE,
		nextIn: (nextAt - NOW) / MINUTE,
	};
}

test.each<[string, Case, ReturnType<typeof judge>]>([
	[
		"an event that came lately: when the next one is due",
		{ last: 4, changed: 100, every: 10 },
		{ tell: null, silentSince: null, nextIn: 6 },
	],
	[
		"no event, and the source is new: when the first one is due",
		{ last: null, changed: 4, every: 10 },
		{ tell: null, silentSince: null, nextIn: 6 },
	],
	[
		"no event for too long: silent",
		{ last: 10, changed: 100, every: 10 },
		{ tell: "silent", silentSince: 0, nextIn: 5 },
	],
	[
		"never an event: silent",
		{ last: null, changed: 10, every: 10 },
		{ tell: "silent", silentSince: 0, nextIn: 5 },
	],
	[
		"a source that was resumed has its time",
		{ last: 1_000, changed: 4, every: 10 },
		{ tell: null, silentSince: null, nextIn: 6 },
	],
	[
		"silent still: nothing more is told, and it is looked at again soon",
		{ last: 1_000, changed: 1_000, every: 10, silentSince: 60 },
		{ tell: null, silentSince: 60, nextIn: 5 },
	],
	[
		"silent still, where events should come every minute",
		{ last: 1_000, changed: 1_000, every: 1, silentSince: 60 },
		{ tell: null, silentSince: 60, nextIn: 1 },
	],
	[
		"an event after the silence: recovered",
		{ last: 3, changed: 1_000, every: 10, silentSince: 60 },
		{ tell: "recovered", silentSince: null, nextIn: 7 },
	],
	[
		"one event after the silence and then none again: recovered, and looked at at once",
		{ last: 30, changed: 1_000, every: 10, silentSince: 60 },
		{ tell: "recovered", silentSince: null, nextIn: 0 },
	],
	[
		"silent, and changed since: it has its time anew",
		{ last: 1_000, changed: 4, every: 10, silentSince: 60 },
		{ tell: null, silentSince: null, nextIn: 6 },
	],
	[
		"silent once more in the window in which that was told: when the window is over",
		{ last: 2, changed: 100, every: 1, windows: { silent: WINDOW } },
		{ tell: null, silentSince: null, nextIn: 5 },
	],
	[
		"recovered once more in the window in which that was told: when the window is over",
		{ last: 1, changed: 100, every: 1, silentSince: 2, windows: { recovered: WINDOW } },
		{ tell: null, silentSince: 2, nextIn: 5 },
	],
])("%s", (_, given, expected) => {
	expect(judge(given)).toEqual(expected);
});

test("an unchanged state is the same object, so that nothing is written", () => {
	const heard = { lastAt: NOW, changedAt: 0, everyMs: MINUTE, now: NOW };
	expect(judgeSilence(NOT_SILENT, heard).silence).toBe(NOT_SILENT);
	const silent: Silence = { since: NOW, windows: { silent: WINDOW } };
	expect(judgeSilence(silent, { ...heard, lastAt: 0, now: NOW + MINUTE }).silence).toBe(silent);
});
