/** The routes of `/v1/subscriptions`, described. */
import * as z from "zod";
import { filterSchema } from "../../events/expressions/filters.ts";
import { STATUSES } from "../../store/records.ts";
import {
	type FieldTexts,
	NOTHING,
	type NamedSchema,
	type OperationDescription,
	namedObject,
	pageOf,
} from "../openapi/operation.ts";
import {
	ONCE,
	ONCE_CODES,
	PRECONDITIONS,
	PRECONDITION_CODES,
	replayable,
	tagged,
} from "../openapi/conditions.ts";
import { CODEC_CODES, COMMON, TIMES, pageQueryOf } from "../openapi/shared.ts";
import { PREVIEW, previewOf } from "./preview-schemas.ts";
import { createSubscriptionSchema, patchSubscriptionSchema } from "./fields.ts";
import { subscriptionListQuery } from "./list.ts";
import { warningSchema } from "./warnings.ts";

const params: FieldTexts = {
	ref: { text: "A subscription by id or name.", schema: { examples: ["ocr-scans"] } },
};

const WRITTEN: FieldTexts = {
	name: { text: "Made from the target when left out.", schema: { examples: ["ocr-scans"] } },
	source: "A source by id or name, also `api`, `results` or `sluice`; null: every source but `sluice`.",
	types: {
		text: "Event types, exact or a beginning with `*` behind it; empty: every type.",
		schema: { default: [] },
	},
	filters: { text: "All of them have to hold.", schema: { default: [] } },
	targets: "Where matching events go: exactly one endpoint.",
	"targets.endpoint": {
		text: "By id or as `name@version`; `name@latest` is resolved for each event.",
		schema: { examples: ["ocr@3"] },
	},
	endpoint: { text: "Short for one target.", schema: { examples: ["ocr@3"] } },
	transform: "JSONata over the event; its value is the request's input. null: the event itself is sent.",
	result: "Makes the output an event; null: it is recorded and goes no further. Changed field by field.",
	"result.type": "Type of the result event; null: the output's own, or `{endpoint}.completed`.",
	"result.transform": "JSONata over `{event, result}`; its value is the data of the result event.",
	"result.max_hops": { text: "How many results may follow one another.", schema: { default: 8 } },
	"result.allow_cycles": {
		text: "Whether a result may come back to this subscription.",
		schema: { default: false },
	},
	status: { text: "What it is made as.", schema: { default: "active" } },
};

const READ: FieldTexts = {
	...WRITTEN,
	...COMMON,
	name: "Its name.",
	source: "The source's name; null: every source, or one that has been deleted.",
	source_id: "The source's id; null: every source.",
	"targets.endpoint": "`name@version` or `name@latest`; null when the endpoint has been deleted.",
	"targets.endpoint_id": "The endpoint's id; absent for `name@latest`.",
	status:
		"`quarantined`: an expression is set aside; `requested`: the owner of the source has to grant it. Neither matches an event.",
	status_reason:
		"Why the status stands: `manual`, `denied`, or the expression that is set aside; null while it is active or requested.",
};

const subscription = z.strictObject({
	id: z.string(),
	name: z.string(),
	source: z.string().nullable(),
	source_id: z.string().nullable(),
	types: z.array(z.string()),
	filters: z.array(filterSchema),
	targets: z.array(z.strictObject({ endpoint: z.string().nullable(), endpoint_id: z.string().optional() })),
	transform: z.string().nullable(),
	result: z
		.strictObject({
			type: z.string().nullable(),
			transform: z.string().nullable(),
			max_hops: z.number().int(),
			allow_cycles: z.boolean(),
		})
		.nullable(),
	status: z.enum([...STATUSES, "requested", "quarantined"]),
	status_reason: z.string().nullable(),
	...TIMES,
});

const SUBSCRIPTION = namedObject("Subscription", subscription, READ);
/** What its writer is told. */
const WRITTEN_SUBSCRIPTION = namedObject(
	"WrittenSubscription",
	subscription.extend({ warnings: z.array(warningSchema) }),
	{ ...READ, warnings: "What is allowed and most likely not meant; empty when there is nothing to say." },
);

const CREATE = namedObject("SubscriptionCreate", createSubscriptionSchema, WRITTEN);
const PUT: NamedSchema = {
	name: "SubscriptionPut",
	schema: createSubscriptionSchema,
	fields: {
		...WRITTEN,
		name: { text: "By default as the path says.", schema: { examples: ["ocr-scans"] } },
		status: "Stays when left out; a new subscription is `active`.",
	},
};
const PATCH = namedObject("SubscriptionPatch", patchSubscriptionSchema, WRITTEN);

const NOT_FOUND = "subscription_not_found";
const CHANGES = [NOT_FOUND, "changed_meanwhile", ...PRECONDITION_CODES] as const;
const shared = { tag: "Subscriptions", params } as const;

export const subscriptionOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "post",
		path: "/v1/subscriptions",
		id: "createSubscription",
		summary: "Create a subscription",
		description:
			"It sees events that are routed after its creation. Name either `targets` or `endpoint`. With a key that is not for the source it is `requested`, until the source's owner grants it.",
		headers: ONCE,
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
		responses: { 201: replayable(tagged("The subscription.", WRITTEN_SUBSCRIPTION)) },
		codes: [...ONCE_CODES, "name_taken", "changed_meanwhile"],
	},
	{
		...shared,
		method: "get",
		path: "/v1/subscriptions",
		id: "listSubscriptions",
		summary: "List subscriptions",
		query: pageQueryOf(subscriptionListQuery),
		responses: { 200: { text: "A page of subscriptions.", schema: pageOf(SUBSCRIPTION) } },
	},
	{
		...shared,
		method: "get",
		path: "/v1/subscriptions/{ref}",
		id: "getSubscription",
		summary: "Read a subscription",
		responses: { 200: tagged("The subscription.", SUBSCRIPTION) },
		codes: [NOT_FOUND],
	},
	{
		...shared,
		method: "put",
		path: "/v1/subscriptions/{ref}",
		id: "putSubscription",
		summary: "Make a subscription, or replace it",
		description:
			"What the body leaves out has its default again; `status` stays unless it names it. It may leave out `name`, which the path says. Under an id it only replaces, and may name another `name`.",
		headers: PRECONDITIONS,
		body: {
			schema: PUT,
			examples: { filtered: { source: "documents-db", types: ["document.*"], endpoint: "ocr@3" } },
		},
		responses: {
			200: tagged("It has been replaced.", WRITTEN_SUBSCRIPTION),
			201: tagged("It has been made.", WRITTEN_SUBSCRIPTION),
		},
		codes: [...CHANGES, "name_taken"],
	},
	{
		...shared,
		method: "patch",
		path: "/v1/subscriptions/{ref}",
		id: "changeSubscription",
		summary: "Change a subscription",
		description:
			"Changes the fields that are named. Deliveries that wait use it as it is when they are sent.",
		headers: PRECONDITIONS,
		body: { schema: PATCH, examples: { narrow: { types: ["document.inserted"], result: { max_hops: 2 } } } },
		responses: { 200: tagged("The subscription.", WRITTEN_SUBSCRIPTION) },
		codes: [...CHANGES, "name_taken"],
	},
	{
		...shared,
		method: "delete",
		path: "/v1/subscriptions/{ref}",
		id: "deleteSubscription",
		summary: "Delete a subscription",
		description: "Deliveries that wait end dead `deleted`.",
		headers: PRECONDITIONS,
		responses: { 204: NOTHING },
		codes: [NOT_FOUND, ...PRECONDITION_CODES],
	},
	{
		...shared,
		method: "post",
		path: "/v1/subscriptions/{ref}/pause",
		id: "pauseSubscription",
		summary: "Pause a subscription",
		description: "It matches no new events, and none of those later. Deliveries that it has go on.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The subscription.", SUBSCRIPTION) },
		codes: CHANGES,
	},
	{
		...shared,
		method: "post",
		path: "/v1/subscriptions/{ref}/resume",
		id: "resumeSubscription",
		summary: "Resume a subscription",
		description: "Tries an expression again that was set aside.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The subscription.", SUBSCRIPTION) },
		codes: [...CHANGES, "not_granted"],
	},
	{
		...shared,
		method: "post",
		path: "/v1/subscriptions/{ref}/grant",
		id: "grantSubscription",
		summary: "Grant a subscription",
		description:
			"Lets one that was made with a key which is not for its source have the source's events. One that is granted stays as it is.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The subscription.", SUBSCRIPTION) },
		codes: CHANGES,
	},
	{
		...shared,
		method: "post",
		path: "/v1/subscriptions/{ref}/deny",
		id: "denySubscription",
		summary: "Deny a subscription",
		description: "It matches no event and cannot be resumed. Takes a grant back, too.",
		headers: PRECONDITIONS,
		responses: { 200: tagged("The subscription.", SUBSCRIPTION) },
		codes: CHANGES,
	},
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
		codes: [NOT_FOUND, "event_not_found", "event_not_routed", ...CODEC_CODES],
	},
];
