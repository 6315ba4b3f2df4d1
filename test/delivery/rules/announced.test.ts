import { describe, expect, test } from "vitest";
import {
	type Announced,
	hushed,
	nextAnnouncement,
	NOTHING_ANNOUNCED,
	type Observed,
	type StatusType,
} from "../../../src/delivery/rules/announced.ts";
import { WINDOW_MS } from "../../../src/operations/windows.ts";

const NOW = 6_000 * WINDOW_MS;

/** At `at` windows after NOW the endpoint is seen like this. */
interface Seen {
	at: number;
	status: Observed["status"];
	reason?: string;
	/** A delivery has succeeded at that moment. */
	succeeded?: true;
	/** It was stopped by the delivery of an operational event. */
	quiet?: true;
}
type Told = [type: StatusType, reason: string | null, suppressed: number] | null;

/** What is told at each sight, and whether it asks to come again. */
function play(seen: readonly Seen[]): { told: Told[]; again: (number | null)[]; last: Announced } {
	let announced = NOTHING_ANNOUNCED;
	let succeededAt = 0;
	const told: Told[] = [];
	const again: (number | null)[] = [];
	for (const { at, status, reason = null, succeeded, quiet } of seen) {
		const now = NOW + at * WINDOW_MS;
		if (succeeded) succeededAt = now;
		if (quiet && status !== "active") announced = hushed(announced, { status, reason });
		const verdict = nextAnnouncement(announced, { status, reason, succeededAt, now });
		announced = verdict.announced;
		told.push(verdict.tell && [verdict.tell.type, verdict.tell.stop.reason, verdict.tell.suppressed]);
		again.push(verdict.againAt === null ? null : (verdict.againAt - NOW) / WINDOW_MS);
	}
	return { told, again, last: announced };
}

const PAUSED = { status: "paused", reason: "unauthorized" } as const;
const ACTIVE = { status: "active" } as const;

describe("the status of an endpoint", () => {
	test.each<[string, Seen[], Told[]]>([
		[
			"active: nothing is told",
			[
				{ at: 0, ...ACTIVE },
				{ at: 0, ...ACTIVE, succeeded: true },
			],
			[null, null],
		],
		[
			"paused: told once",
			[
				{ at: 0, ...PAUSED },
				{ at: 0.1, ...PAUSED },
				{ at: 3, ...PAUSED },
			],
			[["paused", "unauthorized", 0], null, null],
		],
		["disabled: told", [{ at: 0, status: "disabled", reason: "gone" }], [["disabled", "gone", 0]]],
		[
			"paused for another reason: told again",
			[
				{ at: 0, ...PAUSED },
				{ at: 1, status: "paused", reason: "manual" },
			],
			[
				["paused", "unauthorized", 0],
				["paused", "manual", 0],
			],
		],
		[
			"resumed: recovered only when a delivery has succeeded since",
			[
				{ at: 0, ...PAUSED, succeeded: true },
				{ at: 0.1, ...ACTIVE },
				{ at: 0.2, ...ACTIVE },
				{ at: 0.3, ...ACTIVE, succeeded: true },
				{ at: 0.4, ...ACTIVE, succeeded: true },
			],
			[["paused", "unauthorized", 0], null, null, ["recovered", "unauthorized", 0], null],
		],
		[
			"resumed and paused again in the same window: told when the window is over",
			[
				{ at: 0, ...PAUSED },
				{ at: 0.1, ...ACTIVE },
				{ at: 0.2, ...PAUSED },
				{ at: 1, ...PAUSED },
				{ at: 1.1, ...PAUSED },
			],
			[["paused", "unauthorized", 0], null, null, ["paused", "unauthorized", 0], null],
		],
		[
			"stopped and resumed without being told: counted",
			[
				{ at: 0, ...PAUSED },
				{ at: 0.1, ...ACTIVE },
				{ at: 0.2, ...PAUSED },
				{ at: 0.3, ...ACTIVE },
				{ at: 0.4, ...PAUSED },
				{ at: 0.5, ...ACTIVE },
				{ at: 1, ...PAUSED },
			],
			[["paused", "unauthorized", 0], null, null, null, null, null, ["paused", "unauthorized", 2]],
		],
		[
			"stopped by the delivery of an operational event: not told, nor its end",
			[
				{ at: 0, ...PAUSED, quiet: true },
				{ at: 1, ...PAUSED },
				{ at: 2, ...ACTIVE, succeeded: true },
			],
			[null, null, null],
		],
		[
			"of a stop that was told, the end is told whatever came in between",
			[
				{ at: 0, ...PAUSED },
				{ at: 1, ...ACTIVE },
				{ at: 2, ...PAUSED, quiet: true },
				{ at: 3, ...ACTIVE },
				{ at: 4, ...ACTIVE, succeeded: true },
			],
			[["paused", "unauthorized", 0], null, null, null, ["recovered", "unauthorized", 0]],
		],
	])("%s", (_, seen, told) => {
		expect(play(seen).told).toEqual(told);
	});

	test("asks to be called again at the end of the window if something is left to report", () => {
		const { again } = play([
			{ at: 0, ...PAUSED },
			{ at: 0.1, ...ACTIVE },
			{ at: 0.2, ...ACTIVE, succeeded: true },
			{ at: 0.3, ...PAUSED },
		]);
		expect(again).toEqual([null, null, null, 1]);
	});

	test("that has not changed leaves what is stored as it is", () => {
		const { last } = play([{ at: 0, ...PAUSED }]);
		const observed = { ...PAUSED, succeededAt: 0, now: NOW + 1 };
		expect(nextAnnouncement(last, observed).announced).toBe(last);
		expect(nextAnnouncement(NOTHING_ANNOUNCED, { ...observed, ...ACTIVE, reason: null }).announced).toBe(
			NOTHING_ANNOUNCED,
		);
	});
});
