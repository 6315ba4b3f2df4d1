/**
 * The table of rights: which roles may use each route of the API. Pure. An admin may use every
 * route; a route that is not listed is refused to every other role. Some routes are listed before
 * they are built.
 */
import { ROLES, type Role } from "../../store/access/keys.ts";

/**
 * all: every resource. own: only what the key names. If the path names one resource, the guard
 * checks it (ownership.ts); routes narrow their lists and check their bodies.
 */
export type Grade = "all" | "own";
type Rights = Partial<Record<Exclude<Role, "admin">, Grade>>;

const ADMIN_ONLY: Rights = {};

/** By method and pattern, as Hono knows the route. A HEAD counts as a GET. */
export const RIGHTS: Readonly<Record<string, Rights>> = {
	"GET /v1/sources": { publisher: "own", subscriber: "all", viewer: "all" },
	"POST /v1/sources": ADMIN_ONLY,
	"GET /v1/sources/:ref": { publisher: "own", subscriber: "all", viewer: "all" },
	"PUT /v1/sources/:ref": ADMIN_ONLY,
	"PATCH /v1/sources/:ref": ADMIN_ONLY,
	"DELETE /v1/sources/:ref": ADMIN_ONLY,
	"POST /v1/sources/:ref/secret/rotate": ADMIN_ONLY,
	"POST /v1/sources/:ref/pause": ADMIN_ONLY,
	"POST /v1/sources/:ref/resume": ADMIN_ONLY,
	"GET /v1/sources/:ref/setup": { publisher: "own", viewer: "all" },
	"POST /v1/sources/:ref/test": { publisher: "own" },

	"GET /v1/endpoints": { subscriber: "own", viewer: "all" },
	"POST /v1/endpoints": { subscriber: "own" },
	"GET /v1/endpoints/:ref": { subscriber: "own", viewer: "all" },
	"PUT /v1/endpoints/:ref": { subscriber: "own" },
	"PATCH /v1/endpoints/:ref": { subscriber: "own" },
	"DELETE /v1/endpoints/:ref": { subscriber: "own" },
	"POST /v1/endpoints/:ref/secret/rotate": { subscriber: "own" },
	"POST /v1/endpoints/:ref/pause": { subscriber: "own" },
	"POST /v1/endpoints/:ref/resume": { subscriber: "own" },
	"POST /v1/endpoints/:ref/test": { subscriber: "own" },
	"GET /v1/endpoints/:ref/health": { subscriber: "own", viewer: "all" },

	// For a publisher: the subscriptions to its sources.
	"GET /v1/subscriptions": { publisher: "own", subscriber: "own", viewer: "all" },
	"POST /v1/subscriptions": { subscriber: "own" },
	"GET /v1/subscriptions/:ref": { publisher: "own", subscriber: "own", viewer: "all" },
	"PUT /v1/subscriptions/:ref": { subscriber: "own" },
	"PATCH /v1/subscriptions/:ref": { subscriber: "own" },
	"DELETE /v1/subscriptions/:ref": { subscriber: "own" },
	"POST /v1/subscriptions/:ref/pause": { subscriber: "own" },
	"POST /v1/subscriptions/:ref/resume": { subscriber: "own" },
	"POST /v1/subscriptions/:ref/grant": { publisher: "own" },
	"POST /v1/subscriptions/:ref/deny": { publisher: "own" },
	// The response shows the payload of any event, and a request with its credentials.
	"POST /v1/subscriptions/preview": ADMIN_ONLY,

	"POST /v1/events": { publisher: "all" },
	"GET /v1/events": { publisher: "own", viewer: "all" },
	"GET /v1/events/:id": { publisher: "own", viewer: "all" },
	// The response shows deliveries of an event at everybody's endpoints.
	"GET /v1/events/:id/trace": { viewer: "all" },
	"GET /v1/event-types": { subscriber: "all", viewer: "all" },

	// At its endpoints, or of its subscriptions.
	"GET /v1/deliveries": { subscriber: "own", viewer: "all" },
	"GET /v1/deliveries/:id": { subscriber: "own", viewer: "all" },
	"POST /v1/deliveries/:id/retry": { subscriber: "own" },
	"POST /v1/deliveries/:id/cancel": { subscriber: "own" },

	"POST /v1/deliveries/retry": { subscriber: "own" },
	"POST /v1/deliveries/cancel": { subscriber: "own" },
	// For a subscriber: jobs that its key has started.
	"GET /v1/bulk/:id": { subscriber: "own", viewer: "all" },
	"POST /v1/bulk/:id/cancel": { subscriber: "own" },

	// Dead letters contain payloads of every source.
	"GET /v1/dead-letters": { viewer: "all" },
	"GET /v1/dead-letters/:id": { viewer: "all" },
	"POST /v1/dead-letters/:id/retry": ADMIN_ONLY,
	"DELETE /v1/dead-letters/:id": ADMIN_ONLY,

	"GET /v1/keys": ADMIN_ONLY,
	"POST /v1/keys": ADMIN_ONLY,
	"GET /v1/keys/:ref": ADMIN_ONLY,
	"DELETE /v1/keys/:ref": ADMIN_ONLY,
	"GET /v1/audit": { viewer: "all" },
	"GET /v1/config": { viewer: "all" },
	"POST /v1/config": ADMIN_ONLY,
};

/** Routes without an API key: they check another proof, or return nothing secret. */
export const OPEN_ROUTES: readonly string[] = [
	"GET /healthz",
	"ALL /in/:source",
	"POST /callbacks/:delivery/:token",
	"GET /openapi.json",
	"OPTIONS /openapi.json",
	"GET /docs",
	"OPTIONS /docs",
	"GET /console",
];

/** `method` in capitals, `path` the pattern of the route. */
export function routeName(method: string, path: string): string {
	return `${method === "HEAD" ? "GET" : method} ${path}`;
}

/** What a role may do with a route; null: nothing. */
export function gradeOf(route: string, role: Role): Grade | null {
	if (role === "admin") return "all";
	// The name could be one that every object inherits.
	return Object.hasOwn(RIGHTS, route) ? (RIGHTS[route]?.[role] ?? null) : null;
}

/** The roles that may use a route, the least privileged first. */
export function rolesFor(route: string): Role[] {
	return ROLES.filter((role) => gradeOf(route, role) !== null).reverse();
}
