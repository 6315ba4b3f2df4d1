/** A subscription in requests and responses, with the texts of its fields, for the API description. */
import * as z from "zod";
import { filterSchema } from "../../events/expressions/filters.ts";
import { STATUSES } from "../../store/records.ts";
import { type FieldTexts, type NamedSchema, namedObject } from "../openapi/operation.ts";
import { COMMON, TIMES } from "../openapi/shared.ts";
import { createSubscriptionSchema, patchSubscriptionSchema } from "./fields.ts";
import { warningSchema } from "./warnings.ts";

export const WRITTEN: FieldTexts = {
	name: { text: "Its name; generated from the target if left out.", schema: { examples: ["ocr-scans"] } },
	source: "A source by id or name, also `api`, `results` or `sluice`; null: every source except `sluice`.",
	types: {
		text: "Event types: exact, or the beginning of a type followed by `*`. Empty: every type.",
		schema: { default: [] },
	},
	filters: { text: "Conditions on the event, all of which must hold.", schema: { default: [] } },
	targets: "Where matching events go: exactly one endpoint.",
	"targets.endpoint": {
		text: "By id or as `name@version`; `name@latest` is resolved for each event.",
		schema: { examples: ["ocr@3"] },
	},
	endpoint: { text: "A shorter form for one target.", schema: { examples: ["ocr@3"] } },
	transform: {
		text: "JSONata over the event; its value is the request's input. null: the event itself is sent.",
		schema: { minLength: 1 },
	},
	result:
		"Publishes the output as a new event. null: the output is only stored with the delivery. PATCH changes its fields one by one.",
	"result.type": "Type of the result event; null: the output's own, or `{endpoint}.completed`.",
	"result.transform": {
		text: "JSONata over `{event, result}`; its value is the data of the result event.",
		schema: { minLength: 1 },
	},
	"result.max_hops": { text: "How many results may follow one another.", schema: { default: 8 } },
	"result.allow_cycles": {
		text: "Whether a result may come back to this subscription.",
		schema: { default: false },
	},
	status: { text: "The initial status.", schema: { default: "active" } },
};

const READ: FieldTexts = {
	...WRITTEN,
	...COMMON,
	name: "Its name.",
	source: "The source's name; null: every source, or one that has been deleted.",
	source_id: "The source's id; null: every source.",
	"targets.endpoint": "`name@version` or `name@latest`; null if the endpoint has been deleted.",
	"targets.endpoint_id": "The endpoint's id; absent for `name@latest`.",
	status:
		"`quarantined`: an expression needed too much work and is set aside; `requested`: the owner of the source must grant it. With either status it matches no event.",
	status_reason:
		"Why it has this status: `manual`, `denied`, or the expression that is set aside; null while it is active or requested.",
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

export const SUBSCRIPTION = namedObject("Subscription", subscription, READ);
/** What its writer is told. */
export const WRITTEN_SUBSCRIPTION = namedObject(
	"WrittenSubscription",
	subscription.extend({ warnings: z.array(warningSchema) }),
	{ ...READ, warnings: "What is allowed but probably a mistake; empty if there is nothing to say." },
);

export const CREATE = namedObject("SubscriptionCreate", createSubscriptionSchema, WRITTEN);
export const PUT: NamedSchema = {
	name: "SubscriptionPut",
	schema: createSubscriptionSchema,
	fields: {
		...WRITTEN,
		name: { text: "By default the name in the path.", schema: { examples: ["ocr-scans"] } },
		status: "Left out: the status stays; a new subscription is `active`.",
	},
};
export const PATCH = namedObject("SubscriptionPatch", patchSubscriptionSchema, WRITTEN);
