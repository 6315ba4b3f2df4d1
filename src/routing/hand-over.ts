/**
 * Hands a load over: events with their decisions to their event logs, deliveries to the dispatchers of their
 * endpoints. One call each; where that fails, the messages one by one, so that one of them keeps back no other. What an
 * endpoint has no room for is no failure.
 */
import { concurrently } from "../objects/concurrently.ts";
import { dispatcher } from "../objects/clients.ts";
import type { IncomingEvent } from "../delivery/ledger/incoming.ts";
import type { Env } from "../env.ts";
import { appendSome } from "../events/log/append.ts";
import { logOf } from "../events/ids.ts";
import { splitRuns } from "../events/queue/segment.ts";
import { log } from "../log.ts";
import { bytesOf, MAX_LOAD_BYTES, type Routed } from "./loads.ts";
import { Refusals } from "./refusals.ts";

/** One invocation may have six connections under way. */
const CALLS_AT_ONCE = 6;
/** After so many messages in a row that also fail alone, the fault is not in the messages. */
const FAILURES_IN_A_ROW = 3;

/** Calls `fail` for each message with something that could not be handed over. Never throws. */
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
	// A log returns only as much as fits into one reply; each round completes at least one event of each log.
	while (left.length > 0) {
		const kept = await keep(left, env, failHere);
		const isWanted = ({ message }: Routed): boolean => !failed.has(message);
		await dispatch([...kept].filter(isWanted), env, failHere);
		left = left.filter((item) => !kept.has(item) && isWanted(item));
	}
}

/** Stores events with their decisions. For one that is known, the first decisions hold. Returns what was looked at. */
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
		// Refused when the event first came, or offered now.
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
		// The stored decisions may be larger than the ones by which the load was measured.
		for (const run of splitRuns(group, bytesOf, MAX_LOAD_BYTES)) {
			await inOneOrOneByOne(
				run,
				async (part, isRepeated) => {
					// Of a call that has failed, some may have arrived: the dispatcher is told from when on to look.
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

/** Everything behind `work` may be done twice, so a group that has failed in the middle is simply done again. */
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
