import { describe, expect, test } from "vitest";
import type { Outlook } from "../../../src/delivery/rules/wake.ts";
import { nextWake, type Situation } from "../../../src/delivery/rules/wake.ts";

const NOW = 1_790_000_000_000;
const DAY = 86_400_000;
const NOTHING: Outlook = { retryAt: null, jobAt: null, publishAt: null, untried: false, empty: true };

function wakeIn(outlook: Partial<Outlook>, more: Partial<Situation> = {}): number | null {
	const at = nextWake({
		now: NOW,
		outlook: { ...NOTHING, empty: false, ...outlook },
		endpoint: "active",
		opensAt: 0,
		inFlight: 0,
		sweptAt: NOW,
		...more,
	});
	return at === null ? null : at - NOW;
}

test("nothing at all: never", () => {
	expect(wakeIn({ empty: true })).toBeNull();
});

test.each<[string, Partial<Outlook>, Partial<Situation>, number]>([
	["only finished deliveries: for the daily sweep", {}, {}, DAY],
	["a retry: when it is due", { retryAt: NOW + 60_000 }, {}, 60_000],
	["a retry that is due and has no free place: as a backstop", { retryAt: NOW - 5 }, {}, 10_000],
	["a retry, the endpoint held back: not before", { retryAt: NOW + 5 }, { opensAt: NOW + 60_000 }, 60_000],
	["untried deliveries: as a backstop", { untried: true }, {}, 10_000],
	[
		"untried deliveries, the endpoint held back: then",
		{ untried: true },
		{ opensAt: NOW + 3_600_000 },
		3_600_000,
	],
	[
		"untried deliveries, the endpoint full: when something has ended",
		{ untried: true },
		{ opensAt: null, inFlight: 2 },
		10_000,
	],
	["something under way: as a backstop", {}, { inFlight: 1 }, 10_000],
	["a result event to offer again: then", { publishAt: NOW + 5_000 }, { opensAt: NOW + 60_000 }, 5_000],
	[
		"a result event of a stopped endpoint: all the same",
		{ publishAt: NOW + 5_000 },
		{ endpoint: "stopped" },
		5_000,
	],
	[
		"a stopped endpoint with a backlog: to see whether it is resumed",
		{ untried: true },
		{ endpoint: "stopped" },
		300_000,
	],
	["a stopped endpoint with retries: the same", { retryAt: NOW + 1 }, { endpoint: "stopped" }, 300_000],
	[
		"a deleted endpoint with a backlog: at once",
		{ untried: true },
		{ endpoint: "gone", opensAt: NOW + DAY },
		0,
	],
	[
		"a deleted endpoint with a result event that has no free place: as a backstop",
		{ publishAt: NOW - 1 },
		{ endpoint: "gone", inFlight: 5 },
		10_000,
	],
	["a deleted endpoint with nothing left: for the sweep", {}, { endpoint: "gone" }, DAY],
	["not swept since it woke: soon", {}, { sweptAt: 0 }, 10_000],
])("%s", (_what, outlook, more, ms) => {
	expect(wakeIn(outlook, more)).toBe(ms);
});

describe("of several reasons", () => {
	test("the earliest counts", () => {
		expect(wakeIn({ retryAt: NOW + 60_000, publishAt: NOW + 2_000 }, { inFlight: 2 })).toBe(2_000);
	});
});
