/** What tests of the router share: events of one source, and one batch through `routeBatch`. */
import { env } from "cloudflare:workers";
import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import type { SluiceEvent } from "../../src/events/event.ts";
import { eventId } from "../../src/events/ids.ts";
import { routeBatch } from "../../src/routing/router.ts";

let published = 0;

/** A new event, received now. `text`: its data, JSON. */
export function anEvent(type: string, sourceId: string, text = '{"a":1}'): SluiceEvent {
	published += 1;
	const attributes = { id: String(published), source: "/s", type };
	return {
		id: eventId(sourceId, attributes),
		sourceId,
		receivedAt: Date.now(),
		attributes,
		data: { kind: "json", text },
	};
}

/** Routes one batch, a message for each body. Returns what became of the messages: `m0`, `m1` … */
export async function route(...bodies: string[]): Promise<{ acked: string[]; retried: string[] }> {
	const batch = createMessageBatch<string>(
		"sluice-events",
		bodies.map((body, index) => ({ id: `m${index}`, timestamp: new Date(), attempts: 1, body })),
	);
	await routeBatch(batch, env);
	const { explicitAcks, retryMessages } = await getQueueResult(batch, createExecutionContext());
	return { acked: explicitAcks, retried: retryMessages.map(({ msgId }) => msgId) };
}
