/**
 * Writes the audit log: routes report what they have changed, right after the change. The change is
 * already made, so a failure here does not fail the request; entries that cannot be written are in
 * the Worker's log.
 */
import type { Context } from "hono";
import type { Env } from "../../env.ts";
import { newId } from "../../events/ids.ts";
import { log } from "../../log.ts";
import { type AuditEntry, insertAudits, sweepAudit } from "../../store/access/audit.ts";
import type { ApiEnv } from "../http/context.ts";

export const ACTIONS = [
	"create",
	"update",
	"delete",
	"pause",
	"resume",
	"rotate_secret",
	"grant",
	"deny",
	"retry",
	"cancel",
] as const;
export type Action = (typeof ACTIONS)[number];

export const RESOURCES = ["source", "endpoint", "subscription", "key", "bulk", "dead_letter"] as const;
export type AuditedResource = (typeof RESOURCES)[number];

/** A resource as the API shows it, without secrets. */
type Wire = Record<string, unknown>;

export interface Change {
	action: Action;
	resource: AuditedResource;
	/** null: it did not exist, or no longer exists. */
	before: Wire | null;
	after: Wire | null;
	/**
	 * For a resource that was lost with the database and is now deleted; nothing else is known about
	 * it.
	 */
	id?: string;
}

/** Changing requests in this isolate between two sweeps; the first one sweeps too. */
const SWEEP_EVERY = 100;
let written = 0;

/** Never throws. */
export async function recordChange(c: Context<ApiEnv>, change: Change): Promise<void> {
	await recordChanges(c, [change]);
}

/** Records what one request has changed, in order. Never throws. */
export async function recordChanges(c: Context<ApiEnv>, changes: readonly Change[]): Promise<void> {
	const { principal } = c.var;
	const now = Date.now();
	const entries = changes.map((change): AuditEntry => ({
		id: newId("aud"),
		createdAt: now,
		actorId: principal.id,
		actor: principal.name,
		...subjectOf(change),
		// Cloudflare's request id, which is also in its logs.
		requestId: c.req.header("cf-ray")?.slice(0, 100) ?? null,
	}));
	if (entries.length === 0) return;
	try {
		await insertAudits(c.env, entries).catch(() => insertAudits(c.env, entries));
	} catch (error) {
		for (const { actorId: actor_id, action, resource, resourceId: resource_id } of entries) {
			log("audit.unwritten", { actor_id, action, resource, resource_id, error: String(error) });
		}
	}
	if (written % SWEEP_EVERY === 0) c.executionCtx.waitUntil(sweep(c.env, principal.id, now));
	written++;
}

function subjectOf({
	action,
	resource,
	before,
	after,
	id,
}: Change): Pick<AuditEntry, "action" | "resource" | "resourceId" | "name" | "before" | "after"> {
	const shown = after ?? before ?? {};
	const { name, version } = shown;
	return {
		action,
		resource,
		resourceId: id ?? String(shown["id"]),
		name: typeof name !== "string" ? null : typeof version === "string" ? `${name}@${version}` : name,
		before,
		after,
	};
}

async function sweep(env: Env, actorId: string, now: number): Promise<void> {
	try {
		await sweepAudit(env, actorId, now);
	} catch (error) {
		log("audit.sweep_failed", { error: String(error) });
	}
}
