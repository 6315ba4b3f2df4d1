/** The routes of `/v1/keys` and `/v1/audit`, described. */
import * as z from "zod";
import { ROLES } from "../../store/access/keys.ts";
import {
	type FieldTexts,
	NOTHING,
	type OperationDescription,
	namedObject,
	pageOf,
} from "../openapi/operation.ts";
import { ONCE, ONCE_CODES, replayable } from "../openapi/conditions.ts";
import { SINCE, UNTIL, pageQueryOf, time } from "../openapi/shared.ts";
import { ACTIONS, RESOURCES } from "./audit.ts";
import { auditEntrySchema, auditQuery } from "./audit-log.ts";
import { createKeySchema, keySchema } from "./key-fields.ts";

const params: FieldTexts = { ref: { text: "A key by id or name.", schema: { examples: ["dashboard"] } } };

const SCOPE = {
	sources:
		"Roles `publisher` and `subscriber`: names of sources, also `api` and `results`; `*` is all of them but `sluice`, which has to be named.",
	endpoints:
		"Role `subscriber`: names of endpoints without their versions, or the beginning of names with `*` behind it.",
	subscriptions: "Role `subscriber`: names of subscriptions, or the beginning of names with `*` behind it.",
} satisfies FieldTexts;

const WRITTEN: FieldTexts = {
	name: { text: "Stands in lists and in the audit log.", schema: { examples: ["dashboard"] } },
	role: "What the key may do; each operation says which roles it is for.",
	...Object.fromEntries(
		Object.entries(SCOPE).map(([name, text]) => [name, { text, schema: { default: [] } }]),
	),
	expires_at: {
		text: "When it stops working, a time in the future; null: never.",
		schema: { default: null, format: "date-time" },
	},
};

const READ: FieldTexts = {
	id: "`key_…`; what follows stands in the key itself.",
	name: "Its name.",
	role: "What the key may do; null: a newer release made it, with a role of its own.",
	...SCOPE,
	expires_at: "When it stops working; null: never.",
	last_used_at: "When it was last used, up to ten minutes old; null: not yet.",
	created_at: "When it was made.",
	key: "The key itself, this once.",
};

const CREATE = namedObject("KeyCreate", createKeySchema, WRITTEN);
const shape = { expires_at: time.nullable(), last_used_at: time.nullable(), created_at: time };
const KEY = namedObject("Key", keySchema.extend(shape), READ);
const KEY_WITH_TEXT = namedObject(
	"KeyWithText",
	keySchema.extend({ ...shape, role: z.enum(ROLES), key: z.string() }),
	READ,
);

const AUDIT_ENTRY = namedObject(
	"AuditEntry",
	auditEntrySchema.extend({ at: time, action: z.enum(ACTIONS), resource: z.enum(RESOURCES) }),
	{
		id: "`aud_…`.",
		at: "When it was changed.",
		actor: "The name of the key at that time; `root` for the root key.",
		actor_id: "The id of the key; `root` for the root key.",
		action: "What was done.",
		resource: "To what sort of thing.",
		resource_id: "The id of the thing.",
		name: "Its name at that time, an endpoint's with its version; null when it is not known.",
		before:
			"The thing as the API showed it, without secrets; null where there was nothing. Above 32 kB only its `id`, and `omitted`.",
		after: "Likewise, after the change.",
		request_id: "Cloudflare's Ray ID; null without one.",
	},
);

const shared = { tag: "Keys", params } as const;

export const accessOperations: readonly OperationDescription[] = [
	{
		...shared,
		method: "post",
		path: "/v1/keys",
		id: "createKey",
		summary: "Create an API key",
		description:
			"The response has the key, which is not shown again. It works everywhere within two seconds. A key does not change: make another one and delete the former.",
		headers: ONCE,
		body: {
			schema: CREATE,
			examples: {
				reader: { name: "dashboard", role: "viewer" },
				team: {
					name: "team-a",
					role: "subscriber",
					sources: ["documents-db"],
					endpoints: ["team-a-*"],
					subscriptions: ["team-a-*"],
				},
			},
		},
		responses: { 201: replayable({ text: "The key.", schema: KEY_WITH_TEXT }) },
		codes: [...ONCE_CODES, "name_taken", "too_many_keys"],
	},
	{
		...shared,
		method: "get",
		path: "/v1/keys",
		id: "listKeys",
		summary: "List API keys",
		query: pageQueryOf(),
		responses: { 200: { text: "A page of keys, without the keys themselves.", schema: pageOf(KEY) } },
	},
	{
		...shared,
		method: "get",
		path: "/v1/keys/{ref}",
		id: "getKey",
		summary: "Read an API key",
		responses: { 200: { text: "The key, without the key itself.", schema: KEY } },
		codes: ["key_not_found"],
	},
	{
		...shared,
		method: "delete",
		path: "/v1/keys/{ref}",
		id: "deleteKey",
		summary: "Delete an API key",
		description: "Where it has just been used it works for 30 seconds more.",
		responses: { 204: NOTHING },
		codes: ["key_not_found"],
	},
	{
		tag: "Audit",
		method: "get",
		path: "/v1/audit",
		id: "listAudit",
		summary: "List changes",
		description:
			"Of each key the 10,000 newest changes, of all keys the 100,000 newest, of 400 days. Bulk jobs and what was done with dead letters are among them.",
		query: pageQueryOf(auditQuery, {
			resource:
				"Of this sort (`source`, `endpoint`, `subscription`, `key`, `bulk`, `dead_letter`), or of the thing with this id.",
			actor: "Made by this key, by id or by its name at that time; `root` is the root key.",
			since: SINCE,
			until: UNTIL,
		}),
		responses: { 200: { text: "A page of changes.", schema: pageOf(AUDIT_ENTRY) } },
	},
];
