/** How other rooms reach the event log of a source. */
import type { Env } from "../env.ts";
import type { EventLog } from "./event-log.ts";

export function eventLog(env: Env, sourceId: string): DurableObjectStub<EventLog> {
	return env.EVENT_LOG.get(env.EVENT_LOG.idFromName(sourceId));
}
