/**
 * The publisher: one signed POST to the router for each new object, like a bucket notification. It knows only its
 * ingest URL and its secret, and nothing about models.
 */
import { randomUUID } from "node:crypto";
import { Webhook } from "standardwebhooks";
import type { StoredObject } from "./bucket.ts";
import { within } from "./deadline.ts";

const TIMEOUT_SECONDS = 10;

export interface PublisherAccess {
	ingestUrl: string;
	/** The source's secret, `whsec_…`. */
	secret: string;
}

/**
 * Reports one object and returns the id of the event that the router made from it.
 *
 * @throws {Error} with the router's response, when it is not 202
 */
export async function publishUpload(access: PublisherAccess, object: StoredObject): Promise<string> {
	const id = `msg_${randomUUID()}`;
	const sentAt = new Date();
	const body = JSON.stringify(object);
	const accepting = fetch(access.ingestUrl, {
		method: "POST",
		headers: {
			"content-type": "application/json",
			"webhook-id": id,
			"webhook-timestamp": String(Math.floor(sentAt.getTime() / 1000)),
			"webhook-signature": new Webhook(access.secret).sign(id, sentAt, body),
		},
		body,
	});
	const response = await within(TIMEOUT_SECONDS, "Accepting the event", accepting);
	const answer = await response.text();
	if (response.status !== 202) throw new Error(`the router did not accept it: ${response.status} ${answer}`);
	return (JSON.parse(answer) as { id: string }).id;
}
