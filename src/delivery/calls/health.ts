/**
 * An endpoint's health as its dispatcher sees it, and why its deliveries are not sent. Read-only, so that a health
 * check costs no row and no alarm.
 */
import { timeOfPosition } from "../../events/position.ts";
import type { Backlog } from "../ledger/backlog.ts";
import type { Blocked, Health } from "../rpc.ts";
import type { SettingsCache } from "../settings.ts";
import type { Work } from "../work.ts";

export function blockedNow(settings: SettingsCache, work: Work): Blocked {
	if (settings.isFailing) return { blockedBy: "database", blockedUntil: null };
	const { blockedBy, ...admitted } = work.admitted();
	return { blockedBy, blockedUntil: "until" in admitted ? admitted.until : null };
}

/** `now` in ms since the epoch. */
export function healthOf(work: Work, backlog: Backlog, blocked: Blocked, now: number): Health {
	const { deliveries, waiting, oldest } = backlog.owed();
	return {
		...blocked,
		inFlight: work.flights.count("send"),
		limit: work.limit,
		waiting,
		backlog: deliveries,
		oldestPendingAt: oldest === null ? null : timeOfPosition(oldest),
		recent: work.recent.summarise(now, () => backlog.newestAttempts()),
	};
}
