/** The descriptions of `/v1/keys` and `/v1/audit`. */
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
		"Roles `publisher` and `subscriber`: names of sources, also `api` and `results`. `*` means all of them except `sluice`, which must be named.",
	endpoints:
		"Role `subscriber`: names of endpoints without their versions, or the beginning of names followed by `*`.",
	subscriptions: "Role `subscriber`: names of subscriptions, or the beginning of names followed by `*`.",
} satisfies FieldTexts;

const WRITTEN: FieldTexts = {
	name: { text: "Shown in lists and in the audit log.", schema: { examples: ["dashboard"] } },
	role: "What the key may do. Each operation lists the roles that may use it.",
	...Object.fromEntries(
		Object.entries(SCOPE).map(([name, text]) => [name, { text, schema: { default: [] } }]),
	),
	expires_at: {
		text: "When the key expires, a time in the future; null: never.",
		schema: { default: null, format: "date-time" },
	},
};

const READ: FieldTexts = {
	id: "`key_…`. The key itself contains the part after the prefix.",
	name: "Its name.",
	role: "What the key may do; null: a newer release created the key with a role that this release does not know.",
	...SCOPE,
	expires_at: "When the key expires; null: never.",
	last_used_at: "When the key was last used, accurate to ten minutes; null: never.",
	created_at: "When the key was created.",
	key: "The key itself. Shown only here.",
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
		at: "When the change was made.",
		actor: "The name of the key at that time; `root` for the root key.",
		actor_id: "The id of the key; `root` for the root key.",
		action: "The kind of change.",
		resource: "The type of the resource.",
		resource_id: "The id of the resource.",
		name: "Its name at that time, for an endpoint with its version; null if it is not known.",
		before:
			"The resource before the change as the API showed it, without secrets; null if it did not exist. Above 32 kB only its `id`, and `omitted`.",
		after: "The resource after the change, in the same form.",
		request_id: "Cloudflare's Ray ID of the request; null if there is none.",
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
			"The response contains the key, which is not shown again. The key works everywhere within two seconds. A key cannot be changed: create another one and delete the former.",
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
		responses: {
			200: { text: "The name, role and other properties of the key, without the key itself.", schema: KEY },
		},
		codes: ["key_not_found"],
	},
	{
		...shared,
		method: "delete",
		path: "/v1/keys/{ref}",
		id: "deleteKey",
		summary: "Delete an API key",
		description: "Where the key has just been used, it may work for up to 30 seconds more.",
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
			"The changes of the last 400 days: the newest 10,000 of each key, and the newest 100,000 in total. Includes bulk jobs, and retries and deletions of dead letters.",
		query: pageQueryOf(auditQuery, {
			resource:
				"Only changes of this type of resource (`source`, `endpoint`, `subscription`, `key`, `bulk`, `dead_letter`), or of the resource with this id.",
			actor: "Only changes made with this key, by its id or its name at that time; `root` is the root key.",
			since: SINCE,
			until: UNTIL,
		}),
		responses: { 200: { text: "A page of changes.", schema: pageOf(AUDIT_ENTRY) } },
	},
];
