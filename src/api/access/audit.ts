/**
 * Writes the audit log: routes tell it what they have changed, right after the change. The change is made by then, so
 * nothing here fails the request; what cannot be written is in the Worker's log.
 */
import type { Context } from "hono";
import type { Env } from "../../env.ts";
import { newId } from "../../events/ids.ts";
import { log } from "../../log.ts";
import { type AuditEntry, insertAudit, sweepAudit } from "../../store/audit.ts";
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
] as const;
export type Action = (typeof ACTIONS)[number];

export const RESOURCES = ["source", "endpoint", "subscription", "key"] as const;
export type AuditedResource = (typeof RESOURCES)[number];

/** A thing as the API shows it, without secrets. */
type Wire = Record<string, unknown>;

export interface Change {
	action: Action;
	resource: AuditedResource;
	/** null: there was nothing, or there is nothing any more. */
	before: Wire | null;
	after: Wire | null;
	/** For what was lost with the database and is deleted now, of which there is nothing else to say. */
	id?: string;
}

/** Changes in this isolate between two sweeps; the first one sweeps too. */
const SWEEP_EVERY = 100;
let written = 0;

/** Never throws. */
export async function recordChange(c: Context<ApiEnv>, change: Change): Promise<void> {
	const { principal } = c.var;
	const entry: AuditEntry = {
		id: newId("aud"),
		createdAt: Date.now(),
		actorId: principal.id,
		actor: principal.name,
		...subjectOf(change),
		// Cloudflare's, which its logs have too.
		requestId: c.req.header("cf-ray")?.slice(0, 100) ?? null,
	};
	try {
		await insertAudit(c.env, entry).catch(() => insertAudit(c.env, entry));
	} catch (error) {
		const { actorId: actor_id, action, resource, resourceId: resource_id } = entry;
		log("audit.unwritten", { actor_id, action, resource, resource_id, error: String(error) });
	}
	if (written++ % SWEEP_EVERY === 0) c.executionCtx.waitUntil(sweep(c.env, entry.createdAt));
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

async function sweep(env: Env, now: number): Promise<void> {
	try {
		await sweepAudit(env, now);
	} catch (error) {
		log("audit.sweep_failed", { error: String(error) });
	}
}
