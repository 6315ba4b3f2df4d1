/** How the rooms reach each other's Durable Objects: one of each kind for every endpoint or source, several for results. */
import type { HandName, HandRpc } from "../delivery/hands/job.ts";
import type { DispatcherRpc } from "../delivery/rpc.ts";
import type { Env } from "../env.ts";
import type { EventLogRpc } from "../events/log/rpc.ts";
import type { PullerRpc } from "../ingest/queues/rpc.ts";
import type { WatchRpc } from "../ingest/silence/rpc.ts";

/** The dispatcher of an endpoint, `ep_…`. */
export function dispatcher(env: Env, endpointId: string): DurableObjectStub<DispatcherRpc> {
	return env.DISPATCHER.get(env.DISPATCHER.idFromName(endpointId));
}

/** A hand of an endpoint. */
export function hand(env: Env, { endpointId, number }: HandName): DurableObjectStub<HandRpc> {
	return env.HAND.get(env.HAND.idFromName(`${endpointId}/${number}`));
}

/** The event log of a source, `src_…`, or one of the results' logs (`logOf` in events/ids.ts). */
export function eventLog(env: Env, logId: string): DurableObjectStub<EventLogRpc> {
	return env.EVENT_LOG.get(env.EVENT_LOG.idFromName(logId));
}

/** The puller of a source, `src_…`. */
export function puller(env: Env, sourceId: string): DurableObjectStub<PullerRpc> {
	return env.PULLER.get(env.PULLER.idFromName(sourceId));
}

/** The watch of a source, `src_…`. */
export function watch(env: Env, sourceId: string): DurableObjectStub<WatchRpc> {
	return env.WATCH.get(env.WATCH.idFromName(sourceId));
}
