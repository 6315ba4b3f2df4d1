/**
 * What the operator of the router does once, through the public API: register the publisher, the two models and the
 * application, and say which events go where. None of the four learns of the others.
 */
import type { Api } from "./api.ts";
import type { PublisherAccess } from "./publisher.ts";

export interface Addresses {
	ocr: string;
	entities: string;
	inbox: string;
}

export interface Registered {
	publisher: PublisherAccess;
	/** Each endpoint's `signing_secret`, to check requests with. */
	signingSecrets: Addresses;
}

export async function registerAll(api: Api, addresses: Addresses): Promise<Registered> {
	const source = await api<{ ingest_url: string; secret: string }>("POST", "/sources", {
		name: "scans",
		kind: "generic",
		description: "Scanned documents arriving in a bucket",
		auth: { type: "standard_webhooks" },
		event_type: "document.uploaded",
		subject: "=body.key",
	});
	const signingSecrets = {
		// One warm OCR worker reads one page at a time, and the router keeps to that.
		ocr: await registerEndpoint(api, { name: "ocr", url: addresses.ocr, max_concurrency: 1 }),
		entities: await registerEndpoint(api, { name: "entities", url: addresses.entities }),
		inbox: await registerEndpoint(api, { name: "inbox", url: addresses.inbox }),
	};
	await api("POST", "/subscriptions", {
		name: "ocr-scans",
		source: "scans",
		types: ["document.uploaded"],
		filters: [{ any: [".png", ".jpg", ".jpeg"].map((suffix) => ({ suffix: { subject: suffix } })) }],
		endpoint: "ocr@1",
		result: { type: "document.text" },
	});
	await api("POST", "/subscriptions", {
		name: "find-entities",
		types: ["document.text"],
		transform: '{ "document": subject, "text": data.text }',
		endpoint: "entities@1",
		result: { type: "document.entities" },
	});
	await api("POST", "/subscriptions", {
		name: "entities-to-inbox",
		types: ["document.entities"],
		endpoint: "inbox@1",
	});
	return { publisher: { ingestUrl: source.ingest_url, secret: source.secret }, signingSecrets };
}

async function registerEndpoint(api: Api, fields: { name: string; url: string; max_concurrency?: number }) {
	const endpoint = await api<{ signing_secret: string }>("POST", "/endpoints", {
		version: "1",
		protocol: "http",
		timeout_seconds: 30,
		retry: { schedule_seconds: [1, 2, 5, 10] },
		...fields,
	});
	return endpoint.signing_secret;
}
