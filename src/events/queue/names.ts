/**
 * Names of the router's own queues. Each router in an account has its own (docs/operations.md, "A second router in the
 * account"), and a batch contains only the name of its queue, so the name has to show what the queue is for.
 */

const PREFIX = "sluice-events";
const DEAD_LETTERS_SUFFIX = "-dlq";

/** Returns what the router's own queue `name` carries, or null for a queue that belongs to a source. */
export function ownQueue(name: string): "events" | "dead_letters" | null {
	if (!name.startsWith(PREFIX)) return null;
	return name.endsWith(DEAD_LETTERS_SUFFIX) ? "dead_letters" : "events";
}
