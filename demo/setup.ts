/**
 * What the router's operator does once through the public API: registers the publisher, the three models and the
 * application, and configures which events go where. None of the five knows about the others.
 */
import type { Api } from "./api.ts";
import { SENTIMENT_PATH } from "./models/sentiment.ts";
import type { PublisherAccess } from "./publisher.ts";

/** One value per endpoint. */
export interface Servers<T> {
	ocr: T;
	entities: T;
	sentiment: T;
	inbox: T;
}

export interface Registered {
	publisher: PublisherAccess;
	/** Each endpoint's `signing_secret`, to check requests with. */
	signingSecrets: Servers<string>;
}

export async function registerAll(api: Api, urls: Servers<string>): Promise<Registered> {
	const source = await api<{ ingest_url: string; secret: string }>("POST", "/sources", {
		name: "scans",
		kind: "generic",
		description: "Scanned documents arriving in a bucket",
		auth: { type: "standard_webhooks" },
		event_type: "document.uploaded",
		subject: "=body.key",
	});
	const signingSecrets = await registerEndpoints(api, urls);
	await subscribeAll(api);
	return { publisher: { ingestUrl: source.ingest_url, secret: source.secret }, signingSecrets };
}

/**
 * Returns the names of the ready models, as checked by the router, for the two protocols that support readiness checks.
 */
export async function readyModels(api: Api): Promise<string[]> {
	const names = ["ocr@1", "entities@1"];
	const health = await Promise.all(
		names.map((name) => api<{ ready: boolean | null }>("GET", `/endpoints/${name}/health?probe=true`)),
	);
	return names.filter((_, index) => health[index]?.ready === true);
}

async function registerEndpoints(api: Api, urls: Servers<string>): Promise<Servers<string>> {
	return {
		ocr: await registerEndpoint(api, {
			name: "ocr",
			url: urls.ocr,
			protocol: "open-inference",
			model: "ocr",
			// One warm OCR worker reads one page at a time, so the router sends one request at a time.
			max_concurrency: 1,
		}),
		entities: await registerEndpoint(api, {
			name: "entities",
			url: urls.entities,
			protocol: "kserve-v1",
			model: "entities",
		}),
		sentiment: await registerEndpoint(api, {
			name: "sentiment",
			url: `${urls.sentiment}${SENTIMENT_PATH}`,
			protocol: "http",
			completion: { mode: "callback", deadline_seconds: 60 },
		}),
		inbox: await registerEndpoint(api, { name: "inbox", url: urls.inbox, protocol: "http" }),
	};
}

async function subscribeAll(api: Api): Promise<void> {
	const theText = '{ "document": subject, "text": data.text }';
	await api("POST", "/subscriptions", {
		name: "read-scans",
		source: "scans",
		types: ["document.uploaded"],
		filters: [{ any: [".png", ".jpg", ".jpeg"].map((suffix) => ({ suffix: { subject: suffix } })) }],
		transform: '{ "key": data.key, "url": data.url }',
		endpoint: "ocr@1",
		result: { type: "document.text", transform: '{ "text": result.outputs[name = "text"].data[0] }' },
	});
	await api("POST", "/subscriptions", {
		name: "find-entities",
		types: ["document.text"],
		transform: theText,
		endpoint: "entities@1",
		result: { type: "document.entities", transform: "result.predictions[0]" },
	});
	await api("POST", "/subscriptions", {
		name: "judge-sentiment",
		types: ["document.text"],
		transform: theText,
		endpoint: "sentiment@1",
		result: { type: "document.sentiment" },
	});
	await api("POST", "/subscriptions", {
		name: "findings-to-inbox",
		types: ["document.entities", "document.sentiment"],
		endpoint: "inbox@1",
	});
}

async function registerEndpoint(
	api: Api,
	fields: { name: string } & Record<string, unknown>,
): Promise<string> {
	const endpoint = await api<{ signing_secret: string }>("POST", "/endpoints", {
		version: "1",
		timeout_seconds: 30,
		retry: { schedule_seconds: [1, 2, 5, 10] },
		...fields,
	});
	return endpoint.signing_secret;
}
