/**
 * An endpoint's health as its dispatcher sees it. Read-only, so that a health check costs no row
 * and no alarm.
 */
import { timeOfPosition } from "../events/position.ts";
import type { Backlog } from "./ledger/backlog.ts";
import type { Blocked, Health } from "./rpc.ts";
import type { Work } from "./work.ts";

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
