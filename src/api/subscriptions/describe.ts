/** The routes of `/v1/subscriptions`, described. */
import type { OperationDescription } from "../openapi/operation.ts";
import { type ResourceDescription, actionOf, commonOperations } from "../openapi/resource.ts";
import { CODEC_CODES } from "../openapi/shared.ts";
import { PREVIEW, previewOf } from "./preview-schemas.ts";
import { subscriptionListQuery } from "./list.ts";
import { CREATE, PATCH, PUT, SUBSCRIPTION, WRITTEN, WRITTEN_SUBSCRIPTION } from "./wire.ts";

const resource: ResourceDescription = {
	tag: "Subscriptions",
	path: "/v1/subscriptions",
	one: "a subscription",
	ref: { text: "A subscription by id or name.", schema: { examples: ["ocr-scans"] } },
	notFound: "subscription_not_found",
	shown: SUBSCRIPTION,
	list: subscriptionListQuery,
	read: ["The subscription.", SUBSCRIPTION],
	create: {
		description:
			"It sees events that are routed after its creation. Name either `targets` or `endpoint`. With a key that is not for the source it is `requested`, until the source's owner grants it.",
		body: {
			schema: CREATE,
			examples: {
				filtered: {
					name: "ocr-scans",
					source: "documents-db",
					types: ["document.*"],
					filters: [{ prefix: { subject: "scans/" } }, { jsonata: "data.pages < 20" }],
					targets: [{ endpoint: "ocr@3" }],
					transform: '{ "url": data.url }',
					result: { type: "ocr.completed" },
				},
				short: { endpoint: "ocr@latest" },
			},
		},
		made: ["The subscription.", WRITTEN_SUBSCRIPTION],
		codes: ["changed_meanwhile"],
	},
	put: {
		description:
			"What the body leaves out has its default again; `status` stays unless it names it. It may leave out `name`, which the path says. Under an id it only replaces, and may name another `name`.",
		body: {
			schema: PUT,
			examples: { filtered: { source: "documents-db", types: ["document.*"], endpoint: "ocr@3" } },
		},
		written: WRITTEN_SUBSCRIPTION,
		made: ["It has been made.", WRITTEN_SUBSCRIPTION],
		codes: ["name_taken"],
	},
	change: {
		description:
			"Changes the fields that are named. Deliveries that wait use it as it is when they are sent.",
		body: { schema: PATCH, examples: { narrow: { types: ["document.inserted"], result: { max_hops: 2 } } } },
		codes: ["name_taken"],
	},
	remove: { description: "Deliveries that wait end dead `deleted`." },
	pause: {
		description: "It matches no new events, and none of those later. Deliveries that it has go on.",
	},
	resume: { description: "Tries an expression again that was set aside.", codes: ["not_granted"] },
};

const shared = { tag: "Subscriptions", params: { ref: resource.ref } } as const;

export const subscriptionOperations: readonly OperationDescription[] = [
	...commonOperations(resource),
	actionOf(resource, "grant", {
		description:
			"Lets one that was made with a key which is not for its source have the source's events. One that is granted stays as it is.",
	}),
	actionOf(resource, "deny", {
		description: "It matches no event and cannot be resumed. Takes a grant back, too.",
	}),
	{
		...shared,
		method: "post",
		path: "/v1/subscriptions/preview",
		id: "previewSubscription",
		summary: "Preview a subscription",
		description:
			"Whether an event matches a subscription or a draft of one, why, and the request that would be sent. Sends and stores nothing. Name either `subscription` or the fields of a draft, and either `event` or `event_id`.",
		body: {
			schema: previewOf(WRITTEN),
			examples: {
				stored: {
					subscription: "ocr-scans",
					event: {
						type: "document.inserted",
						subject: "scans/7",
						data: { pages: 3, url: "https://a.example/7" },
					},
				},
				draft: {
					endpoint: "ocr@3",
					types: ["document.*"],
					transform: '{ "url": data.url }',
					event: { type: "document.inserted", data: { url: "https://a.example/7" } },
					event_source: "documents-db",
				},
			},
		},
		responses: { 200: { text: "What the subscription makes of the event.", schema: PREVIEW } },
		codes: ["subscription_not_found", "event_not_found", "event_not_routed", ...CODEC_CODES],
	},
];
