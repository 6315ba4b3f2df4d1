/**
 * Hands a load over: events with their decisions to their event logs, deliveries to the dispatchers of their
 * endpoints. Each log and each dispatcher gets one call. If a call fails, its messages are retried one by one, so that
 * a bad message does not block the others. A dispatcher without room is not a failure.
 */
import { concurrently } from "../objects/concurrently.ts";
import { dispatcher } from "../objects/clients.ts";
import type { IncomingEvent } from "../delivery/ledger/inbox/incoming.ts";
import type { Env } from "../env.ts";
import { appendSome } from "../events/log/append.ts";
import { logOf } from "../events/ids.ts";
import { splitRuns } from "../events/queue/segment.ts";
import { log } from "../log.ts";
import { bytesOf, MAX_LOAD_BYTES, type Routed } from "./loads.ts";
import { Refusals } from "./refusals.ts";

/** An invocation may have six open connections. */
const CALLS_AT_ONCE = 6;
/** If this many messages in a row also fail alone, the messages are not the cause. */
const FAILURES_IN_A_ROW = 3;

/** Hands the load over. Calls `fail` for each message that could not be handed over completely. Never throws. */
export async function handOver(
	load: readonly Routed[],
	env: Env,
	fail: (message: Message) => void,
): Promise<void> {
	const failed = new Set<Message>();
	const failHere = (message: Message): void => {
		failed.add(message);
		fail(message);
	};
	let left = load;
	// A log returns only what fits into one response; each round completes at least one event per log.
	while (left.length > 0) {
		const kept = await keep(left, env, failHere);
		const isWanted = ({ message }: Routed): boolean => !failed.has(message);
		await dispatch([...kept].filter(isWanted), env, failHere);
		left = left.filter((item) => !kept.has(item) && isWanted(item));
	}
}

/**
 * Stores events with their decisions. Known events keep their first decisions. Returns the events that were processed.
 */
async function keep(
	load: readonly Routed[],
	env: Env,
	fail: (message: Message) => void,
): Promise<Set<Routed>> {
	const kept = new Set<Routed>();
	const byLog = Map.groupBy(load, ({ event }) => logOf(event));
	await concurrently(byLog, CALLS_AT_ONCE, async ([logId, group]) => {
		await inOneOrOneByOne(
			group,
			async (part) => {
				const known = await appendSome(
					env,
					logId,
					part.map(({ event, decisions }) => ({ event, decisions })),
				);
				known.forEach((first, index) => {
					const item = part[index];
					if (item === undefined) return;
					kept.add(item);
					if (first !== null) Object.assign(item, first);
				});
			},
			(message, error) => {
				log("router.log_failed", { log_id: logId, message_id: message.id, error: String(error) });
				fail(message);
			},
		);
	});
	return kept;
}

async function dispatch(load: readonly Routed[], env: Env, fail: (message: Message) => void): Promise<void> {
	const startedAt = Date.now();
	const byEndpoint = new Map<string, Routed[]>();
	const refusals = new Refusals();
	for (const item of load) {
		// Excludes deliveries that were refused when the event first arrived.
		const offered = item.decisions.filter(
			({ refused, withheld }) => refused === undefined && withheld === undefined,
		);
		for (const [endpointId, decisions] of Map.groupBy(offered, (decision) => decision.endpointId)) {
			const own = { ...item, decisions };
			const group = byEndpoint.get(endpointId);
			if (group === undefined) byEndpoint.set(endpointId, [own]);
			else group.push(own);
		}
	}
	await concurrently(byEndpoint, CALLS_AT_ONCE, async ([endpointId, group]) => {
		// The stored decisions may be larger than those used to size the load.
		for (const run of splitRuns(group, bytesOf, MAX_LOAD_BYTES)) {
			await inOneOrOneByOne(
				run,
				async (part, isRepeated) => {
					// Parts of a failed call may have arrived. The dispatcher is told how far back it has to look for
					// them.
					const told = isRepeated ? startedAt : null;
					const items = part.map((item) => toIncoming({ ...item, storedAt: item.storedAt ?? told }));
					const enqueued = await dispatcher(env, endpointId).enqueue(items);
					refusals.note(part, enqueued?.full ?? []);
				},
				(message, error) => {
					log("router.dispatch_failed", {
						endpoint_id: endpointId,
						message_id: message.id,
						error: String(error),
					});
					fail(message);
				},
			);
		}
	});
	await refusals.keep(env, CALLS_AT_ONCE, fail);
}

function toIncoming({ event, decisions, storedAt }: Routed): IncomingEvent {
	return { event, decisions, ...(storedAt !== null && { storedAt }) };
}

/** `work` is idempotent, so a group that failed midway is simply repeated. */
async function inOneOrOneByOne(
	group: readonly Routed[],
	work: (part: Routed[], isRepeated: boolean) => Promise<void>,
	failed: (message: Message, error: unknown) => void,
): Promise<void> {
	const parts = [...Map.groupBy(group, ({ message }) => message)];
	try {
		return await work([...group], false);
	} catch (error) {
		if (parts.length === 1) return parts.forEach(([message]) => failed(message, error));
	}
	let failures = 0;
	let last: unknown;
	for (const [message, part] of parts) {
		if (failures === FAILURES_IN_A_ROW) {
			failed(message, last);
			continue;
		}
		try {
			await work(part, true);
			failures = 0;
		} catch (error) {
			failures += 1;
			last = error;
			failed(message, error);
		}
	}
}
