/**
 * The receiving application: receives `document.entities` and `document.sentiment` events as structured CloudEvents,
 * after their signature is verified, and stores each one once.
 */
import type { FoundEntities } from "./models/entities.ts";
import type { Sentiment } from "./models/sentiment.ts";
import { BadInput, serveWebhooks } from "./webhook-server.ts";
import type { WebhookServer } from "./webhook-server.ts";

/** The part of a CloudEvent that the application reads. */
export type DocumentEvent = { specversion: string; id: string; source: string } & (
	| { type: "document.entities"; data: FoundEntities }
	| { type: "document.sentiment"; data: Sentiment }
);

const TYPES: readonly string[] = ["document.entities", "document.sentiment"];

export async function startApplication(received: (event: DocumentEvent) => void): Promise<WebhookServer> {
	// Delivery is at least once: `source` and `id` together identify duplicates.
	const seen = new Set<string>();
	return serveWebhooks({
		path: "/",
		async respond({ body }) {
			const event = body as DocumentEvent;
			if (event.specversion !== "1.0" || !TYPES.includes(event.type)) {
				throw new BadInput(`Expected an event of type ${TYPES.join(" or ")}, got ${event.type}.`);
			}
			const identity = `${event.source} ${event.id}`;
			if (!seen.has(identity)) received(event);
			seen.add(identity);
			return { status: 204 };
		},
	});
}
