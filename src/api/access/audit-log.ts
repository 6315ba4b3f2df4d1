/** `/v1/audit`: who changed what. */
import { Hono } from "hono";
import * as z from "zod";
import { type AuditEntry, listAudit } from "../../store/access/audit.ts";
import { timeField, formatTime } from "../fields/times.ts";
import type { ApiEnv } from "../http/context.ts";
import { readPage } from "../http/pages.ts";
import { pageQuery } from "../http/query.ts";
import { named } from "../http/writes.ts";

const RESOURCE = /^(?:source|endpoint|subscription|key|(?:src|ep|sub|key)_.+)$/;

export const auditQuery = z.strictObject({
	...pageQuery,
	resource: z
		.string()
		.regex(RESOURCE, "one of: source, endpoint, subscription, key; or the id of one of them")
		.optional()
		.describe("source, endpoint, subscription, key, bulk or dead_letter; or the id of one of them."),
	actor: z.string().optional().describe("The id of a key, its name at that time, or root."),
	since: timeField.optional().describe("Inclusive."),
	until: timeField.optional().describe("Exclusive."),
});

const side = z.record(z.string(), z.unknown()).nullable();

export const auditEntrySchema = z.strictObject({
	id: z.string().describe("aud_…"),
	at: z.string(),
	actor: z.string().describe("The key's name at that time; root for ADMIN_TOKEN."),
	actor_id: z.string().describe("key_…; root for ADMIN_TOKEN."),
	action: z.string(),
	resource: z.string(),
	resource_id: z.string(),
	name: z.string().nullable().describe("Its name at that time, an endpoint's with its version."),
	before: side.describe("As the API showed it, without secrets; null where there was nothing."),
	after: side,
	request_id: z.string().nullable().describe("Cloudflare's Ray ID."),
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
