/**
 * What has been announced about an endpoint's status, as one function from (announced, current
 * status) to (announced, what to announce). An endpoint has recovered when it is active again and
 * has accepted a delivery: being resumed proves nothing. Pure; times in ms since the epoch.
 */
import * as z from "zod";
import type { EndpointStatus } from "../../store/records.ts";
import { windowEnd, windowOf } from "../../operations/windows.ts";

export type StatusType = "paused" | "disabled" | "recovered";

export const announcedSchema = z.object({
	/** resumed: active again, with no success since. */
	phase: z.enum(["active", "stopped", "resumed"]),
	/** Its last stop, with the reason; null: it was never stopped. */
	stop: z.object({ status: z.enum(["paused", "disabled"]), reason: z.string().nullable() }).nullable(),
	/** A stop was announced, but not its end. */
	isOutstanding: z.boolean(),
	/** When it was first seen active again; 0 unless resumed. */
	resumedAt: z.number(),
	/**
	 * Stopped, but not announced yet, because the same was announced in this window.
	 */
	isPending: z.boolean(),
	/** How often it was stopped and resumed without an announcement. */
	suppressed: z.number(),
	/** The window in which each was last announced. */
	windows: z.object({
		paused: z.number().optional(),
		disabled: z.number().optional(),
		recovered: z.number().optional(),
	}),
});
export type Announced = z.output<typeof announcedSchema>;

/** For an endpoint about which nothing has been announced. */
export const NOTHING_ANNOUNCED: Announced = {
	phase: "active",
	stop: null,
	isOutstanding: false,
	resumedAt: 0,
	isPending: false,
	suppressed: 0,
	windows: {},
};

export interface Observed {
	status: EndpointStatus;
	reason: string | null;
	/** When a delivery that is not an operational event last succeeded; 0: not yet. */
	succeededAt: number;
	now: number;
}

export interface Announcement {
	type: StatusType;
	/** The current or last stop. */
	stop: Stop;
	/** How often it was stopped since the last such event. */
	suppressed: number;
}

export interface Stop {
	status: "paused" | "disabled";
	reason: string | null;
}

export interface Verdict {
	announced: Announced;
	/** null: there is nothing to announce. */
	tell: Announcement | null;
	/**
	 * When to call again, because the window has to end first; null: when something changes.
	 */
	againAt: number | null;
}

export function nextAnnouncement(announced: Announced, observed: Observed): Verdict {
	const { status, reason, now } = observed;
	return status === "active"
		? whileActive(announced, observed)
		: whileStopped(announced, { status, reason }, now);
}

/**
 * The endpoint was stopped by a delivery of an operational event; this is not
 * announced.
 */
export function hushed(announced: Announced, stop: Stop): Announced {
	return { ...announced, phase: "stopped", stop, isPending: false };
}

function whileStopped(announced: Announced, stop: Stop, now: number): Verdict {
	if (announced.phase === "stopped" && isSame(announced.stop, stop) && !announced.isPending) {
		return nothing(announced);
	}
	const stopped: Announced = { ...announced, phase: "stopped", stop };
	if (announced.windows[stop.status] === windowOf(now)) {
		return { announced: { ...stopped, isPending: true }, tell: null, againAt: windowEnd(now) };
	}
	return {
		announced: told({ ...stopped, isOutstanding: true, isPending: false, suppressed: 0 }, stop.status, now),
		tell: { type: stop.status, stop, suppressed: announced.suppressed },
		againAt: null,
	};
}

function whileActive(announced: Announced, { succeededAt, now }: Observed): Verdict {
	const { phase, stop, isOutstanding, isPending, resumedAt } = announced;
	switch (phase) {
		case "active":
			return nothing(announced);
		case "stopped": {
			const suppressed = announced.suppressed + Number(isPending);
			// A stop that was not announced needs no announcement of its end.
			const next = isOutstanding
				? ({ phase: "resumed", resumedAt: now } as const)
				: ({ phase: "active" } as const);
			return nothing({ ...announced, ...next, isPending: false, suppressed });
		}
		case "resumed":
			if (stop === null || succeededAt < resumedAt) return nothing(announced);
			if (announced.windows.recovered === windowOf(now)) {
				return { announced, tell: null, againAt: windowEnd(now) };
			}
			return {
				announced: told({ ...announced, phase: "active", isOutstanding: false }, "recovered", now),
				tell: { type: "recovered", stop, suppressed: 0 },
				againAt: null,
			};
	}
}

function nothing(announced: Announced): Verdict {
	return { announced, tell: null, againAt: null };
}

function told(announced: Announced, type: StatusType, now: number): Announced {
	return { ...announced, windows: { ...announced.windows, [type]: windowOf(now) } };
}

function isSame(one: Stop | null, other: Stop): boolean {
	return one?.status === other.status && one.reason === other.reason;
}
