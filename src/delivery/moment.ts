/** The current situation at an endpoint, as its gates see it: what is in progress, and which settings apply. */
import { completionOf } from "../models/completion.ts";
import { isSending } from "../store/views/settings.ts";
import type { Flights } from "./flights.ts";
import type { Moment } from "./gates/gates.ts";
import type { Pool } from "./hands/pool.ts";
import type { Backlog } from "./ledger/backlog.ts";
import type { Presence } from "./presence.ts";
import type { SettingsCache } from "./settings.ts";

/** Used instead of `max_concurrency` until the settings have been read. */
const DEFAULT_LIMIT = 5;

interface Parts {
	backlog: Backlog;
	settings: SettingsCache;
	presence: Presence;
	flights: Flights;
	pool: Pool;
}

export function momentOf({ backlog, settings, presence, flights, pool }: Parts): Moment {
	const { last } = settings;
	return {
		now: Date.now(),
		random: Math.random(),
		inFlight: flights.count("send"),
		jobs: heldJobs(backlog, settings),
		bytesInFlight: flights.bytes,
		maxConcurrency: typeof last === "object" ? last.endpoint.maxConcurrency : DEFAULT_LIMIT,
		isActive: last === undefined || isSending(presence.resolve(last)),
		isRecovering: pool.isRecovering,
	};
}

/** Jobs that occupy a slot each. */
function heldJobs(backlog: Backlog, { last }: SettingsCache): number {
	if (typeof last !== "object" || last.endpoint.completion === null) return 0;
	const { protocol, completion } = last.endpoint;
	return completionOf({ protocol, completion }).holdsSlot ? backlog.jobs.count : 0;
}
