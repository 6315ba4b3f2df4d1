/**
 * A change that has begun is finished, even if the client disconnects meanwhile. Cloudflare would
 * cancel the rest of the request: the change would be in D1, but not in the audit log, its copies
 * would stay as they were, and an `Idempotency-Key` would have no response to return.
 */
import { createMiddleware } from "hono/factory";

const READS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** The rest of a request may go on for up to 30 seconds without its client. */
export const finishChanges = createMiddleware(async (c, next) => {
	const rest = next();
	if (!READS.includes(c.req.method)) c.executionCtx.waitUntil(rest);
	await rest;
});
