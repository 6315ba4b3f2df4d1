/** Stubs of the Durable Objects: one object of each kind per endpoint or source; results have several logs. */
import type { DeadLettersRpc } from "../dead-letters/rpc.ts";
import type { BulkJobRpc } from "../delivery/bulk/rpc.ts";
import type { HandName, HandRpc } from "../delivery/hands/job.ts";
import type { DispatcherRpc } from "../delivery/rpc.ts";
import type { Env } from "../env.ts";
import type { EventLogRpc } from "../events/log/rpc.ts";
import type { PullerRpc } from "../ingest/queues/rpc.ts";
import type { WatchRpc } from "../ingest/silence/rpc.ts";

/** Returns the dispatcher of an endpoint, `ep_…`. */
export function dispatcher(env: Env, endpointId: string): DurableObjectStub<DispatcherRpc> {
	return env.DISPATCHER.get(env.DISPATCHER.idFromName(endpointId));
}

/** Returns a bulk job, `bulk_…`. */
export function bulkJob(env: Env, id: string): DurableObjectStub<BulkJobRpc> {
	return env.BULK_JOB.get(env.BULK_JOB.idFromName(id));
}

/** Returns the store of dead letters: one object for all of them. */
export function deadLetters(env: Env): DurableObjectStub<DeadLettersRpc> {
	return env.DEAD_LETTERS.get(env.DEAD_LETTERS.idFromName("all"));
}

/** Returns a hand of an endpoint. */
export function hand(env: Env, { endpointId, number }: HandName): DurableObjectStub<HandRpc> {
	return env.HAND.get(env.HAND.idFromName(`${endpointId}/${number}`));
}

/** Returns the event log of a source, `src_…`, or one of the result logs (`logOf` in events/ids.ts). */
export function eventLog(env: Env, logId: string): DurableObjectStub<EventLogRpc> {
	return env.EVENT_LOG.get(env.EVENT_LOG.idFromName(logId));
}

/** Returns the puller of a source, `src_…`. */
export function puller(env: Env, sourceId: string): DurableObjectStub<PullerRpc> {
	return env.PULLER.get(env.PULLER.idFromName(sourceId));
}

/** Returns the watch of a source, `src_…`. */
export function watch(env: Env, sourceId: string): DurableObjectStub<WatchRpc> {
	return env.WATCH.get(env.WATCH.idFromName(sourceId));
}
