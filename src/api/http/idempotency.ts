/**
 * `Idempotency-Key`: a client that does not know whether its request succeeded sends it again with
 * the same key, and gets the first response. Only successful responses are kept, for a day.
 */
import { hash } from "node:crypto";
import type { Context, HonoRequest } from "hono";
import { createMiddleware } from "hono/factory";
import { Problem } from "../../http/problem.ts";
import { log } from "../../log.ts";
import {
	type KeptResponse,
	type KeyedRequest,
	claimKey,
	keepResponse,
	releaseKey,
	sweepKeys,
} from "../../store/access/idempotency.ts";
import { readBytes } from "./body.ts";
import type { ApiEnv } from "./context.ts";

/** Keys in this isolate between two sweeps; the first one sweeps too. */
const SWEEP_EVERY = 100;
let claimed = 0;

/**
 * For routes that create something, whose responses may have secrets. Without the header it does nothing. Throws 400
 * `invalid_idempotency_key`, 422 `idempotency_key_reused` and 409 `idempotency_in_progress`.
 */
export const onceByKey = createMiddleware<ApiEnv>(async (c, next) => {
	const key = c.req.header("idempotency-key");
	if (key === undefined) return next();
	if (!isKey(key)) {
		const detail = "Idempotency-Key must have 1 to 255 visible ASCII characters.";
		throw new Problem(400, "invalid_idempotency_key", detail);
	}
	const body = await readBytes(c.req.raw.clone());
	const request: KeyedRequest = { principalId: c.var.principal.id, key };
	const now = Date.now();
	if (claimed++ % SWEEP_EVERY === 0) c.executionCtx.waitUntil(sweep(c, now));
	const claim = await claimKey(c.env, request, digestOf(c.req, body), now);
	switch (claim.outcome) {
		case "reused":
			throw new Problem(
				422,
				"idempotency_key_reused",
				"A different request was sent with this Idempotency-Key. Use another key for this one.",
			);
		case "in_progress":
			throw new Problem(
				409,
				"idempotency_in_progress",
				"The request with this Idempotency-Key is still in progress. Send it again in a moment.",
				{ headers: { "retry-after": "1" } },
			);
		case "kept":
			return replay(claim.response);
		case "claimed":
			await next();
			return settle(c, request, claim.claim);
	}
});

export function isKey(key: string): boolean {
	return /^[\x21-\x7e]{1,255}$/.test(key);
}

/** What makes two requests the same: method, path, query and the exact body. */
function digestOf({ method, path, url }: HonoRequest, body: Uint8Array): string {
	return hash(
		"sha256",
		Buffer.concat([Buffer.from(`${method} ${path}${new URL(url).search}\n`), body]),
		"hex",
	);
}

function replay(kept: KeptResponse | null): Response {
	if (kept === null) {
		const detail =
			"The first response was encrypted with a key that is no longer set, so it cannot be sent again.";
		throw new Problem(409, "idempotency_response_unreadable", detail);
	}
	return new Response(kept.body, {
		status: kept.status,
		headers: {
			"content-type": "application/json",
			"idempotency-replayed": "true",
			...(kept.etag !== null && { etag: kept.etag }),
		},
	});
}

/**
 * Keeps a success and removes the key after a failure. The request has already been made, so a
 * failure here does not fail it; if a response cannot be kept, the key stays in progress for a
 * minute.
 */
async function settle(c: Context<ApiEnv>, request: KeyedRequest, claim: string): Promise<void> {
	const { status } = c.res;
	try {
		if (status >= 400) return await releaseKey(c.env, request, claim);
		const response = { status, body: await c.res.clone().text(), etag: c.res.headers.get("etag") };
		await keepResponse(c.env, request, claim, response).catch(() =>
			keepResponse(c.env, request, claim, response),
		);
	} catch (error) {
		log("idempotency.unwritten", { principal_id: request.principalId, error: String(error) });
	}
}

async function sweep(c: Context<ApiEnv>, now: number): Promise<void> {
	try {
		await sweepKeys(c.env, now);
	} catch (error) {
		log("idempotency.sweep_failed", { error: String(error) });
	}
}
