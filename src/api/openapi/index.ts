/**
 * `/openapi.json` and `/docs`: the description of the API. They need no key, but respond with 503 until a root
 * key is set.
 */
import { createMiddleware } from "hono/factory";
import { Hono } from "hono";
import type { Env } from "../../env.ts";
import { refuseWhileClosed } from "../../http/closed.ts";
import { toProblem } from "../../http/refusal.ts";
import { docsPage } from "../docs/index.ts";
import { buildDocument } from "./document.ts";
import { OPERATIONS } from "./operations.ts";

/** Built at the first request for it, so that an isolate that only receives events never pays for it. */
let text: string | null = null;

/** The OpenAPI document as JSON text. */
export function documentText(): string {
	return (text ??= JSON.stringify(buildDocument(OPERATIONS)));
}

const openOnly = createMiddleware<{ Bindings: Env }>(async (c, next) => {
	const closed = refuseWhileClosed(c.env);
	if (closed !== null) throw toProblem(closed);
	await next();
});

const ALLOWED = { allow: "GET, HEAD, OPTIONS" };

export const description = new Hono<{ Bindings: Env }>()
	.get("/openapi.json", openOnly, (c) => c.body(documentText(), 200, { "content-type": "application/json" }))
	.get("/docs", openOnly, async () => docsPage())
	.options("/openapi.json", openOnly, (c) => c.body(null, 204, ALLOWED))
	.options("/docs", openOnly, (c) => c.body(null, 204, ALLOWED));
