/** Every route of the application with every role, and with none. */
import { beforeAll, describe, expect, test } from "vitest";
import { OWNERSHIP } from "../../../src/api/access/ownership.ts";
import { OPEN_ROUTES, RIGHTS, gradeOf, rolesFor, routeName } from "../../../src/api/access/rights.ts";
import { app } from "../../../src/app.ts";
import { ROLES, type Role } from "../../../src/store/access/keys.ts";
import { type TestKey, askWith, makeKey } from "./keys.ts";

/** What is no route of its own: it stands before others, or responds where there is none. */
const MIDDLEWARE = [
	"/*",
	"/v1/*",
	...Object.keys(OWNERSHIP).map((path) => `${path}/*`),
	...["sources", "endpoints", "subscriptions"].map((resource) => `/v1/${resource}/*`),
];

const routes = app.routes
	.filter(({ method, path }) => method !== "ALL" || !MIDDLEWARE.includes(path))
	.map(({ method, path }) => routeName(method, path));
const guarded = [...new Set(routes)].filter((route) => !OPEN_ROUTES.includes(route));

test("the table of rights names every route of the application", () => {
	expect(guarded.filter((route) => !Object.hasOwn(RIGHTS, route))).toEqual([]);
	expect(guarded.length).toBeGreaterThan(30);
	// What it does not name is refused below /v1 only.
	expect(guarded.filter((route) => !route.includes(" /v1/"))).toEqual([]);
});

test("the resource in a path is checked wherever a role has only its own", () => {
	const unowned = Object.entries(RIGHTS)
		.filter(([route, rights]) => route.includes("/:") && Object.values(rights).includes("own"))
		.map(([route]) => route.split(" ", 2)[1] ?? "")
		.filter(
			(path) => !Object.keys(OWNERSHIP).some((below) => path === below || path.startsWith(`${below}/`)),
		);
	expect(unowned).toEqual([]);
});

/** One letter for each role that has all (capital) or its own: admin, publisher, subscriber, viewer. */
const MATRIX = `
A p S V  GET /v1/sources
A - - -  POST /v1/sources
A p S V  GET /v1/sources/:ref
A - - -  PUT /v1/sources/:ref
A - - -  PATCH /v1/sources/:ref
A - - -  DELETE /v1/sources/:ref
A - - -  POST /v1/sources/:ref/secret/rotate
A - - -  POST /v1/sources/:ref/pause
A - - -  POST /v1/sources/:ref/resume
A p - V  GET /v1/sources/:ref/setup
A p - -  POST /v1/sources/:ref/test
A - s V  GET /v1/endpoints
A - s -  POST /v1/endpoints
A - s V  GET /v1/endpoints/:ref
A - s -  PUT /v1/endpoints/:ref
A - s -  PATCH /v1/endpoints/:ref
A - s -  DELETE /v1/endpoints/:ref
A - s -  POST /v1/endpoints/:ref/secret/rotate
A - s -  POST /v1/endpoints/:ref/pause
A - s -  POST /v1/endpoints/:ref/resume
A - s -  POST /v1/endpoints/:ref/test
A - s V  GET /v1/endpoints/:ref/health
A p s V  GET /v1/subscriptions
A - s -  POST /v1/subscriptions
A p s V  GET /v1/subscriptions/:ref
A - s -  PUT /v1/subscriptions/:ref
A - s -  PATCH /v1/subscriptions/:ref
A - s -  DELETE /v1/subscriptions/:ref
A - s -  POST /v1/subscriptions/:ref/pause
A - s -  POST /v1/subscriptions/:ref/resume
A p - -  POST /v1/subscriptions/:ref/grant
A p - -  POST /v1/subscriptions/:ref/deny
A - - -  POST /v1/subscriptions/preview
A P - -  POST /v1/events
A p - V  GET /v1/events
A p - V  GET /v1/events/:id
A - - V  GET /v1/events/:id/trace
A - s V  GET /v1/deliveries
A - s V  GET /v1/deliveries/:id
A - s -  POST /v1/deliveries/:id/retry
A - s -  POST /v1/deliveries/:id/cancel
A - s -  POST /v1/deliveries/retry
A - s -  POST /v1/deliveries/cancel
A - s V  GET /v1/bulk/:id
A - s -  POST /v1/bulk/:id/cancel
A - - V  GET /v1/dead-letters
A - - V  GET /v1/dead-letters/:id
A - - -  POST /v1/dead-letters/:id/retry
A - - -  DELETE /v1/dead-letters/:id
A - - -  GET /v1/keys
A - - -  POST /v1/keys
A - - -  GET /v1/keys/:ref
A - - -  DELETE /v1/keys/:ref
A - - V  GET /v1/audit
A - - V  GET /v1/config
A - - -  POST /v1/config
A - - -  GET /v1/something-new`;

function letter(route: string, role: Role): string {
	const grade = gradeOf(route, role);
	if (grade === null) return "-";
	return grade === "all" ? role.charAt(0).toUpperCase() : role.charAt(0);
}

test("the table of rights is the intended one", () => {
	const lines = MATRIX.trim().split("\n");
	const said = lines.map((line) => {
		const route = line.slice(9);
		return `${ROLES.map((role) => letter(route, role)).join(" ")}  ${route}`;
	});
	expect(said).toEqual(lines);
});

/** A request to a route, about something that nobody has. */
function askRoute(key: TestKey | null, route: string) {
	const [method = "", path = ""] = route.split(" ");
	return askWith(key, method, path.replaceAll(/:\w+/g, "nobody"), method === "GET" ? undefined : "{");
}

describe("as the application reports them", () => {
	const keys = new Map<Role, TestKey>();
	beforeAll(async () => {
		for (const role of ROLES) keys.set(role, await makeKey({ role }));
	});

	test.each(guarded)("%s", async (route) => {
		expect(await askRoute(null, route)).toMatchObject({ status: 401, body: { code: "unauthorized" } });
		for (const role of ROLES) {
			const answer = await askRoute(keys.get(role) ?? null, route);
			if (gradeOf(route, role) === null) {
				expect(answer).toMatchObject({ status: 403, body: { code: "forbidden" } });
				for (const needed of rolesFor(route)) expect(answer.body["detail"]).toContain(needed);
				expect(answer.body["detail"]).toContain(`this one has ${role}`);
			} else {
				expect([401, 403]).not.toContain(answer.status);
				expect(answer.body["code"]).not.toBe("not_found");
			}
		}
	});

	test("a HEAD is as a GET", async () => {
		const answers = ROLES.map((role) => askWith(keys.get(role) ?? null, "HEAD", "/v1/endpoints"));
		expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 403, 200, 200]);
	});

	test("no spelling of a path goes round the table", async () => {
		const viewer = keys.get("viewer") ?? null;
		for (const path of [
			"/v1//keys",
			"/v1/keys/",
			"/V1/keys",
			"/v1/%6beys",
			"/v1/./keys",
			"/v1/sources/../keys",
		]) {
			const { status } = await askWith(viewer, "GET", path);
			expect([403, 404]).toContain(status);
		}
	});

	test("a path without a route is 404 for every key", async () => {
		for (const role of ROLES) {
			const answer = await askWith(keys.get(role) ?? null, "GET", "/v1/nothing");
			expect(answer).toMatchObject({ status: 404, body: { code: "not_found" } });
		}
	});
});
