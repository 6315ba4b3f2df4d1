/** The management API: its resources, its access checks and its error responses. */
import { Hono } from "hono";
import { log } from "../log.ts";
import { Problem } from "../http/problem.ts";
import type { ApiEnv } from "./http/context.ts";
import { description } from "./openapi/index.ts";
import { auditLog } from "./access/audit-log.ts";
import { guardRoutes } from "./access/guard.ts";
import { keys } from "./access/keys.ts";
import { bulk } from "./bulk/index.ts";
import { deadLetters } from "./dead-letters/index.ts";
import { config } from "./config/index.ts";
import { deliveries } from "./deliveries/index.ts";
import { endpoints } from "./endpoints/index.ts";
import { events } from "./events/index.ts";
import { health } from "./health.ts";
import { finishChanges } from "./http/finish.ts";
import { respondWhenRouted } from "./http/routed.ts";
import { unknownRoute } from "./http/unknown-route.ts";
import { onceByKey } from "./http/idempotency.ts";
import { learnHost } from "../store/own-hosts.ts";
import { sources } from "./sources/index.ts";
import { subscriptions } from "./subscriptions/index.ts";

export const api = new Hono<ApiEnv>();

api.get("/healthz", health);
api.route("/", description);
guardRoutes(api);
api.use("/v1/*", async (c, next) => {
	c.executionCtx.waitUntil(learnHost(c.env, c.req.url, Date.now()));
	await next();
});
api.use("/v1/*", finishChanges);
for (const path of [
	"sources",
	"sources/:ref/secret/rotate",
	"endpoints",
	"endpoints/:ref/secret/rotate",
	"subscriptions",
	"keys",
	"config",
	"deliveries/retry",
	"deliveries/cancel",
]) {
	api.post(`/v1/${path}`, onceByKey);
}
for (const resource of ["sources", "endpoints", "subscriptions"]) {
	api.use(`/v1/${resource}/*`, respondWhenRouted);
}
api.route("/v1/sources", sources);
api.route("/v1/endpoints", endpoints);
api.route("/v1/subscriptions", subscriptions);
api.route("/v1/events", events);
api.route("/v1/deliveries", deliveries);
api.route("/v1/bulk", bulk);
api.route("/v1/dead-letters", deadLetters);
api.route("/v1/keys", keys);
api.route("/v1/audit", auditLog);
api.route("/v1/config", config);
// A route, because a mounted application gets no call for unknown paths.
api.all("*", (c) => {
	throw unknownRoute(c.req.method, c.req.path);
});

api.onError((error, c) => errorResponse(error, c.req.raw));

/**
 * The response to an error that a route threw: its problem, or a problem without details and a log
 * line with them.
 */
export function errorResponse(error: unknown, { method, url }: Request): Response {
	if (error instanceof Problem) return error.toResponse();
	const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
	// Without the query, which may contain a token.
	log("api.failed", { method, path: new URL(url).pathname, error: said });
	if (isPassing(error)) {
		return new Problem(
			503,
			"unavailable",
			"A Durable Object of the router is overloaded or restarting. Send the request again.",
		).toResponse();
	}
	return new Problem(
		500,
		"internal_error",
		"The router failed unexpectedly; its log has the details.",
	).toResponse();
}

/**
 * Whether a Durable Object cannot be reached now but may be reachable later.
 * https://developers.cloudflare.com/durable-objects/best-practices/error-handling
 */
function isPassing(error: unknown): boolean {
	if (!(error instanceof Error)) return false;
	return (
		("retryable" in error && error.retryable === true) || ("overloaded" in error && error.overloaded === true)
	);
}
