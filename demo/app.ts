/**
 * The receiving application: takes `document.entities` events as structured CloudEvents, after the signature has
 * been verified, and keeps each one once.
 */
import type { FoundEntities } from "./models/entities.ts";
import { BadInput, serveWebhooks } from "./webhook-server.ts";
import type { WebhookServer } from "./webhook-server.ts";

/** The part of the CloudEvent that the application reads. */
export interface EntitiesEvent {
	specversion: string;
	id: string;
	source: string;
	type: string;
	subject: string;
	data: FoundEntities;
}

export async function startApplication(received: (event: EntitiesEvent) => void): Promise<WebhookServer> {
	// Delivery is at least once: `source` and `id` together tell a repetition.
	const seen = new Set<string>();
	return serveWebhooks(async (body) => {
		const event = body as EntitiesEvent;
		if (event.specversion !== "1.0" || event.type !== "document.entities") {
			throw new BadInput(`Expected a document.entities event, got ${event.type}.`);
		}
		const identity = `${event.source} ${event.id}`;
		if (seen.has(identity)) return undefined;
		seen.add(identity);
		received(event);
		return undefined;
	});
}
