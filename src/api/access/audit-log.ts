/** `/v1/audit`: who changed what. */
import { Hono } from "hono";
import * as z from "zod";
import { type AuditEntry, listAudit } from "../../store/access/audit.ts";
import { timeField, formatTime } from "../fields/times.ts";
import type { ApiEnv } from "../http/context.ts";
import { readPage } from "../http/pages.ts";
import { pageQuery } from "../http/query.ts";
import { named } from "../http/writes.ts";

const RESOURCE = /^(?:source|endpoint|subscription|key|bulk|dead_letter|(?:src|ep|sub|key|bulk|dead)_.+)$/;

export const auditQuery = z.strictObject({
	...pageQuery,
	resource: z
		.string()
		.regex(
			RESOURCE,
			"one of: source, endpoint, subscription, key, bulk, dead_letter; or the id of one of them",
		)
		.optional()
		.describe(
			"A resource type (source, endpoint, subscription, key, bulk or dead_letter), or the id of a resource.",
		),
	actor: z.string().optional().describe("A key by its id, or by its name at that time; or root."),
	since: timeField.optional().describe("The start of the period, inclusive."),
	until: timeField.optional().describe("The end of the period, exclusive."),
});

const side = z.record(z.string(), z.unknown()).nullable();

export const auditEntrySchema = z.strictObject({
	id: z.string().describe("The id of the entry (aud_…)."),
	at: z.string(),
	actor: z.string().describe("The name that the key had then; root for ADMIN_TOKEN."),
	actor_id: z.string().describe("key_…; root for ADMIN_TOKEN."),
	action: z.string(),
	resource: z.string(),
	resource_id: z.string(),
	name: z
		.string()
		.nullable()
		.describe("The name that the resource had then; for an endpoint with its version."),
	before: side.describe("The resource as the API showed it, without secrets; null if it did not exist."),
	after: side,
	request_id: z.string().nullable().describe("Cloudflare's Ray ID of the request."),
});

export const auditLog = new Hono<ApiEnv>().get("/", async (c) => {
	const { items, nextCursor } = await readPage(
		c,
		"audit",
		(page, { resource, actor, since, until }) =>
			listAudit(c.env, named({ resource, actor, since, until }), page),
		auditQuery,
	);
	return c.json({ data: items.map(entryToWire), next_cursor: nextCursor });
});

function entryToWire(entry: AuditEntry): z.output<typeof auditEntrySchema> {
	return {
		id: entry.id,
		at: formatTime(entry.createdAt),
		actor: entry.actor,
		actor_id: entry.actorId,
		action: entry.action,
		resource: entry.resource,
		resource_id: entry.resourceId,
		name: entry.name,
		before: entry.before,
		after: entry.after,
		request_id: entry.requestId,
	};
}
