/**
 * The response to a change of the routing table is sent when every router goes by the change: routers may go by a
 * reading that is a fraction of a second old (`routingMaxAgeMs`), so the response waits for as long. An event that is
 * published after it is routed by what it said.
 */
import { createMiddleware } from "hono/factory";
import type { Env } from "../../env.ts";
import { routingMaxAgeMs } from "../../store/routing.ts";

const CHANGES: readonly string[] = ["POST", "PUT", "PATCH", "DELETE"];

/** Waits once for each request, after all its writes; requests that changed nothing do not wait. */
export const respondWhenRouted = createMiddleware<{ Bindings: Env }>(async (c, next) => {
	await next();
	if (!c.res.ok || !CHANGES.includes(c.req.method) || changesNothing(c.req)) return;
	const ms = routingMaxAgeMs(c.env);
	if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
});

/** Samples and previews are posted, and only by POST: a source may be called "test". */
function changesNothing({ method, path }: { method: string; path: string }): boolean {
	return method === "POST" && /\/(?:test|preview)$/.test(path);
}
