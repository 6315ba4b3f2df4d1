/** Which of several event queues receives a message. */
import { createHash } from "node:crypto";
import type { SluiceEvent } from "../../src/events/event.ts";
import type { Sample } from "./traffic.ts";

export const QUEUES = 16;

/** The queue of each message: by hash, or the next one that has room if that one is full. */
export function queuesFor({ reads }: Sample, keyOf: (event: SluiceEvent) => string, room: number): number[] {
	const taken = Array.from({ length: QUEUES }, () => 0);
	return reads.map(({ body }) => {
		const [event] = body.kind === "events" ? body.events : [];
		let queue = event === undefined ? 0 : hashOf(keyOf(event)) % QUEUES;
		for (let tries = 1; tries < QUEUES && (taken[queue] ?? 0) >= room; tries += 1) {
			queue = (queue + 1) % QUEUES;
		}
		taken[queue] = (taken[queue] ?? 0) + 1;
		return queue;
	});
}

/** The number of messages in the fullest queue. */
export function fullestOf(queues: readonly number[]): number {
	return Math.max(
		...Map.groupBy(queues, (queue) => queue)
			.values()
			.map((messages) => messages.length),
	);
}

const hashes = new Map<string, number>();

function hashOf(key: string): number {
	const known = hashes.get(key) ?? createHash("sha256").update(key).digest().readUInt32BE();
	hashes.set(key, known);
	return known;
}
