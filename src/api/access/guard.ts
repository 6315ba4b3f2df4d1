/**
 * Runs before every route under /v1: checks the key, whether its role may use the route, and, if
 * the path names a resource, whether the key may access it. Routes narrow lists and check names in
 * bodies themselves (own.ts).
 */
import type { Context, Hono, MiddlewareHandler } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { Problem } from "../../http/problem.ts";
import { toProblem } from "../../http/refusal.ts";
import type { ApiEnv } from "../http/context.ts";
import { unknownRoute } from "../http/unknown-route.ts";
import { authenticate } from "./authenticate.ts";
import { noteUse } from "./keyring.ts";
import { OWNERSHIP, type Ownership } from "./ownership.ts";
import { gradeOf, rolesFor, routeName } from "./rights.ts";

/** Puts the guard before the routes of `api`; call it first. */
export function guardRoutes(api: Hono<ApiEnv>): void {
	api.use("/v1/*", guard);
	for (const [path, check] of Object.entries(OWNERSHIP)) api.use(`${path}/*`, ofOwner(check));
}

/** Lets a request pass, or throws 503 `not_configured`, 401 `unauthorized`, 403 `forbidden`, 404 `not_found` or 405 `method_not_allowed`. */
const guard = createMiddleware<ApiEnv>(async (c, next) => {
	const now = Date.now();
	const who = await authenticate(c.env, c.req.header("authorization"), now);
	if (!who.ok) throw toProblem(who);
	const { principal, key } = who;
	// A key that is refused everything is in use as well.
	if (key !== null) c.executionCtx.waitUntil(noteUse(c.env, key, now));
	const route = routeOf(c);
	// Only an admin may use paths that match no route of their own.
	if (route === null && principal.role !== "admin") throw unknownRoute(c.req.method, c.req.path);
	const grade = gradeOf(route ?? "", principal.role);
	if (grade === null) {
		const needed = rolesFor(route ?? "").join(" or ");
		const detail = `This needs a key with the role ${needed}; this one has ${principal.role}.`;
		throw new Problem(403, "forbidden", detail);
	}
	c.set("principal", principal);
	c.set("grade", grade);
	await next();
});

/**
 * `check` runs only if the role is limited to its own resources. A PUT may create a resource that
 * does not exist yet; its route checks whether the asker may.
 */
function ofOwner(check: Ownership): MiddlewareHandler<ApiEnv> {
	return async (c, next) => {
		if (c.var.grade === "own" && (routeOf(c) ?? "").includes("/:")) {
			await check(c.env, c.var.principal, c.req.param("ref") ?? c.req.param("id") ?? "").catch(
				(error: unknown) => {
					if (!(c.req.method === "PUT" && error instanceof Problem && error.status === 404)) throw error;
				},
			);
		}
		await next();
	};
}

/** The route that will respond; null if only routes that match everything match. */
function routeOf(c: Context<ApiEnv>): string | null {
	const route = matchedRoutes(c).find(({ path }) => !path.endsWith("*"));
	return route === undefined ? null : routeName(route.method, route.path);
}
