/** The descriptions of `/v1/subscriptions`. */
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
			"The subscription gets events that are routed after its creation. Give either `targets` or `endpoint`. If your key does not cover the source, the subscription is `requested` until an admin or the source's owner grants it.",
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
			"Fields that the body leaves out get their defaults, except `status`, which stays. `name` may be left out, because the path has it. If `{ref}` is an id, the request only replaces, and `name` may be a new one.",
		body: {
			schema: PUT,
			examples: { filtered: { source: "documents-db", types: ["document.*"], endpoint: "ocr@3" } },
		},
		written: WRITTEN_SUBSCRIPTION,
		made: ["The subscription has been created.", WRITTEN_SUBSCRIPTION],
		codes: ["name_taken"],
	},
	change: {
		description:
			"Changes only the fields in the body. Waiting deliveries are sent with the settings that the subscription has at that time.",
		body: { schema: PATCH, examples: { narrow: { types: ["document.inserted"], result: { max_hops: 2 } } } },
		codes: ["name_taken"],
	},
	remove: { description: "Its waiting deliveries end as dead, with the reason `deleted`." },
	pause: {
		description:
			"A paused subscription matches no new events, and does not get them later either. Existing deliveries are still sent.",
	},
	resume: {
		description: "Also makes the router run an expression again that was set aside.",
		codes: ["not_granted"],
	},
};

const shared = { tag: "Subscriptions", params: { ref: resource.ref } } as const;

export const subscriptionOperations: readonly OperationDescription[] = [
	...commonOperations(resource),
	actionOf(resource, "grant", {
		description:
			"Lets a `requested` subscription get the events of its source. A subscription that was already granted does not change.",
	}),
	actionOf(resource, "deny", {
		description: "The subscription matches no event and cannot be resumed. Also takes back an earlier grant.",
	}),
	{
		...shared,
		method: "post",
		path: "/v1/subscriptions/preview",
		id: "previewSubscription",
		summary: "Preview a subscription",
		description:
			"Shows whether an event matches a subscription or a draft of one, why, and which request would be sent. Sends and stores nothing. Give either `subscription` or the fields of a draft, and either `event` or `event_id`.",
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
		responses: { 200: { text: "What the subscription would do with the event.", schema: PREVIEW } },
		codes: ["subscription_not_found", "event_not_found", "event_not_routed", ...CODEC_CODES],
	},
];
