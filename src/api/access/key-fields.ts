/**
 * An API key on the wire: the fields that may be written, and the response, which never contains
 * the key itself.
 */
import * as z from "zod";
import { type ApiKey, NO_SCOPE, ROLES, type Role, type Scope } from "../../store/access/keys.ts";
import { nameField } from "../fields/fields.ts";
import { formatTime, timeField } from "../fields/times.ts";
import { ROOT } from "./principal.ts";

/** In each list, because every isolate keeps all keys in memory. */
const MAX_NAMES = 50;

/** As in `RESOURCE_NAME`. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const PATTERN = /^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63})?\*$/;

const pattern = z
	.string()
	.refine((text) => NAME.test(text) || PATTERN.test(text), "must be a name, or a prefix followed by *");
const sourceName = z
	.string()
	.refine((text) => text === "*" || NAME.test(text), 'the name of a source, or "*"');

export const createKeySchema = z
	.strictObject({
		name: nameField("key")
			.refine((name) => name !== ROOT.name, "stands for ADMIN_TOKEN in the audit log")
			.describe("The name of the key in lists and in the audit log."),
		role: z.enum(ROLES).describe("What the key may do. See the table of rights."),
		sources: z
			.array(sourceName)
			.max(MAX_NAMES)
			.optional()
			.describe('Roles publisher and subscriber: the names of its sources. "*" stands for all sources.'),
		endpoints: z
			.array(pattern)
			.max(MAX_NAMES)
			.optional()
			.describe(
				"Role subscriber: the endpoints that it may create and change, by name without version or by prefix*.",
			),
		subscriptions: z
			.array(pattern)
			.max(MAX_NAMES)
			.optional()
			.describe("Role subscriber: the subscriptions that it may create and change, by name or by prefix*."),
		expires_at: timeField.nullable().optional().describe("When the key expires; null: never."),
	})
	.superRefine((input, context) => {
		for (const of of Object.keys(NO_SCOPE) as (keyof Scope)[]) {
			if (input[of] === undefined || HAS_NAMES[input.role].includes(of)) continue;
			context.addIssue({
				code: "custom",
				path: [of],
				message: `cannot be set for a key with the role ${input.role}`,
			});
		}
	});

/** Which lists of names a role has. */
const HAS_NAMES: Record<Role, readonly (keyof Scope)[]> = {
	admin: [],
	publisher: ["sources"],
	subscriber: ["sources", "endpoints", "subscriptions"],
	viewer: [],
};

export const keySchema = z.strictObject({
	id: z.string().describe("The id of the key (key_…)."),
	name: z.string(),
	role: z
		.enum(ROLES)
		.nullable()
		.describe("null: a newer release created the key with a role that this release does not have."),
	sources: z.array(z.string()).readonly(),
	endpoints: z.array(z.string()).readonly(),
	subscriptions: z.array(z.string()).readonly(),
	expires_at: z.string().nullable(),
	last_used_at: z
		.string()
		.nullable()
		.describe("When the key was last used, accurate to ten minutes; null: never."),
	created_at: z.string(),
});

export function scopeOf(input: z.output<typeof createKeySchema>): Scope {
	const { sources = [], endpoints = [], subscriptions = [] } = input;
	return { sources, endpoints, subscriptions };
}

export function keyToWire(key: ApiKey): z.output<typeof keySchema> {
	return {
		id: key.id,
		name: key.name,
		role: key.role,
		...key.scope,
		expires_at: formatTime(key.expiresAt),
		last_used_at: formatTime(key.lastUsedAt),
		created_at: formatTime(key.createdAt),
	};
}
