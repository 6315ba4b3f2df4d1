/**
 * When a dispatcher has to wake on its own: the earliest time at which there is work that no other event will trigger.
 * Pure; times in ms since the epoch.
 */

/** When to check again while something is in progress, in case the object is lost in the meantime. */
export const BACKSTOP_MS = 10_000;
/**
 * How often a stopped endpoint with a backlog is checked, in case the report of its resumption was
 * lost.
 */
const LOOK_AGAIN_MS = 300_000;
/** The delay after a failure in the router itself: the database, or a bug. */
export const AGAIN_MS = 5_000;
export const SWEEP_EVERY_MS = 86_400_000;

/** What a dispatcher owes, and when. */
export interface Outlook {
	/** When the next retry is due, or the next result event that the queue refused. */
	retryAt: number | null;
	/** When the next delivery that waits for an output is checked. */
	jobAt: number | null;
	publishAt: number | null;
	/** Some deliveries are unclaimed. */
	untried: boolean;
	/** There are no deliveries at all, not even finished ones. */
	empty: boolean;
}

export interface Situation {
	now: number;
	outlook: Outlook;
	/**
	 * stopped: paused, disabled, unreadable or missing from the database. gone: deleted, and its
	 * pending deliveries are being ended.
	 */
	endpoint: "active" | "stopped" | "gone";
	/**
	 * Nothing is sent before this time; 0: now, null: until something in progress has
	 * ended.
	 */
	opensAt: number | null;
	inFlight: number;
	/** 0 if it has not been swept since the object woke. */
	sweptAt: number;
}

/** null if there is nothing to wake for. */
export function nextWake({ now, outlook, endpoint, opensAt, inFlight, sweptAt }: Situation): number | null {
	const { retryAt, jobAt, publishAt, untried, empty } = outlook;
	const moments: number[] = [];
	// Work that is due but found no free slot begins when other work ends.
	if (publishAt !== null) moments.push(publishAt > now ? publishAt : now + BACKSTOP_MS);
	if (jobAt !== null) moments.push(endpoint === "gone" || jobAt > now ? jobAt : now + BACKSTOP_MS);
	if (endpoint === "stopped") {
		if (untried || retryAt !== null) moments.push(now + LOOK_AGAIN_MS);
	} else {
		const opens = endpoint === "gone" ? 0 : opensAt;
		if (retryAt !== null && opens !== null)
			moments.push(endpoint === "gone" ? now : Math.max(retryAt, opens));
		if (untried && opens !== null) moments.push(endpoint === "gone" ? now : opens);
	}
	if (inFlight > 0) moments.push(now + BACKSTOP_MS);
	if (!empty) moments.push(Math.max(sweptAt + SWEEP_EVERY_MS, now + BACKSTOP_MS));
	if (moments.length === 0) return null;
	// Everything that can be sent now is already in progress; the alarm covers the case that it is
	// lost. For a deleted endpoint, only the alarm ends its deliveries.
	const soonest = endpoint === "gone" ? now : now + BACKSTOP_MS;
	return Math.min(...moments.map((moment) => (moment > now ? moment : soonest)));
}
