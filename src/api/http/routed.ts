/**
 * Delays the response to a change of the routing table until every router uses the change: routers
 * may use a table that is a fraction of a second old (`routingMaxAgeMs`). An event that is
 * published after the response is routed by the change.
 */
import { createMiddleware } from "hono/factory";
import type { Env } from "../../env.ts";
import { routingMaxAgeMs } from "../../store/views/routing.ts";

const CHANGES: readonly string[] = ["POST", "PUT", "PATCH", "DELETE"];

/** Waits once for each request, after all its writes; requests that changed nothing do not wait. */
export const respondWhenRouted = createMiddleware<{ Bindings: Env }>(async (c, next) => {
	await next();
	if (!c.res.ok || !CHANGES.includes(c.req.method) || changesNothing(c.req)) return;
	await waitUntilRouted(c.env);
});

/** Resolves when every router uses everything that has been written so far. */
export async function waitUntilRouted(env: Env): Promise<void> {
	const ms = routingMaxAgeMs(env);
	if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

/** A POST of a sample or a preview. Other methods on such a path may change a source named "test". */
function changesNothing({ method, path }: { method: string; path: string }): boolean {
	return method === "POST" && /\/(?:test|preview)$/.test(path);
}
