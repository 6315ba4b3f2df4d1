/**
 * When a dispatcher has to wake by itself: the earliest moment at which there is something to do that nothing else
 * will bring up. Pure; times in ms since the epoch.
 */

/** When to look again while something is under way, should the object be lost in the middle of it. */
export const BACKSTOP_MS = 10_000;
/** How often an endpoint that is stopped and has a backlog is looked at, should its resumption go unheard. */
const LOOK_AGAIN_MS = 300_000;
/** Wait after something of our own failed: the database, a bug. */
export const AGAIN_MS = 5_000;
export const SWEEP_EVERY_MS = 86_400_000;

/** What a dispatcher owes, and when. */
export interface Outlook {
	/** When the next retry is due, and the next result event that the queue refused. */
	retryAt: number | null;
	/** When the next delivery that waits for an output is looked at. */
	jobAt: number | null;
	publishAt: number | null;
	/** There are deliveries that nobody has claimed yet. */
	untried: boolean;
	/** There is nothing at all, not even what is finished. */
	empty: boolean;
}

export interface Situation {
	now: number;
	outlook: Outlook;
	/** stopped: paused, disabled, unreadable or lost from the database. gone: deleted, and what waits for it is being ended. */
	endpoint: "active" | "stopped" | "gone";
	/** Nothing is sent before; 0: now, null: until something under way has ended. */
	opensAt: number | null;
	inFlight: number;
	/** 0 when it has not been swept since the object woke. */
	sweptAt: number;
}

/** null when there is nothing to wake for. */
export function nextWake({ now, outlook, endpoint, opensAt, inFlight, sweptAt }: Situation): number | null {
	const { retryAt, jobAt, publishAt, untried, empty } = outlook;
	const moments: number[] = [];
	// One that is due has found no free place, and goes when another one ends.
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
	// What could be sent now is being sent: the alarm is there for the case that it is not. The alarm alone buries.
	const soonest = endpoint === "gone" ? now : now + BACKSTOP_MS;
	return Math.min(...moments.map((moment) => (moment > now ? moment : soonest)));
}
