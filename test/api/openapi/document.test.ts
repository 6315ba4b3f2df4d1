/** The description of the API: whole, consistent, and of the routes that there are. */
import { describe, expect, test } from "vitest";
import { app } from "../../../src/app.ts";
import { CODES, isCode, statusOfCode } from "../../../src/api/openapi/codes.ts";
import { buildDocument } from "../../../src/api/openapi/document.ts";
import { type JsonSchema, type OperationDescription, codesOf } from "../../../src/api/openapi/operation.ts";
import { OPERATIONS } from "../../../src/api/openapi/operations.ts";
import { ask } from "../client.ts";

const document = buildDocument(OPERATIONS);

/** Middleware and the answer to unknown paths are no routes; `OPTIONS` says no more than which methods there are. */
function realRoutes(): string[] {
	const routes = app.routes
		.filter(({ path, method }) => !path.includes("*") && method !== "OPTIONS")
		.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
	return [...new Set(routes)].sort();
}

/** A route for all methods is described by those that mean something. */
function describedRoutes(): string[] {
	const all = new Set(realRoutes().filter((route) => route.startsWith("ALL ")));
	const routes = OPERATIONS.map(({ method, path }) =>
		all.has(`ALL ${path}`) ? `ALL ${path}` : `${method.toUpperCase()} ${path}`,
	);
	return [...new Set(routes)].sort();
}

test("every route is described, and every description has a route", () => {
	expect(describedRoutes()).toEqual(realRoutes());
});

test.each([
	["createKey", { admin: "all" }, "Roles: `admin`."],
	["listAudit", { admin: "all", viewer: "all" }, "Roles: `admin`, `viewer`."],
	[
		"getEndpoint",
		{ admin: "all", subscriber: "own", viewer: "all" },
		"Roles: `admin`, `viewer`; `subscriber` for resources that the key names.",
	],
	["ingest", undefined, null],
])("%s says who may use it", (id, roles, sentence) => {
	const { path = "", method = "get" } = OPERATIONS.find((operation) => operation.id === id) ?? {};
	const described = document.paths[path]?.[method] ?? {};
	expect(described["x-roles"]).toEqual(roles);
	if (sentence === null) expect(described["description"]).not.toContain("Roles:");
	else
		expect(described["description"]).toMatch(new RegExp(`(?:^|\\n\\n)${sentence.replaceAll(".", "\\.")}$`));
});

test.each([
	["ingest", [{ source: [] }, {}]],
	["createKey", undefined],
	["getHealth", []],
])("%s says which proof it takes", (id, security) => {
	const { path = "", method = "get" } = OPERATIONS.find((operation) => operation.id === id) ?? {};
	expect(document.paths[path]?.[method]?.["security"]).toEqual(security);
});

test("no operation is there twice", () => {
	const ids = OPERATIONS.map(({ id }) => id);
	const routes = OPERATIONS.map(({ method, path }) => `${method} ${path}`);
	expect(new Set(ids).size).toBe(ids.length);
	expect(new Set(routes).size).toBe(routes.length);
});

/** Every schema within another, with the path to it. */
function* walk(schema: unknown, path: string): Generator<[string, JsonSchema]> {
	if (typeof schema !== "object" || schema === null) return;
	if (!Array.isArray(schema)) yield [path, schema as JsonSchema];
	for (const [key, value] of Object.entries(schema)) yield* walk(value, `${path}.${key}`);
}

test("every field has a description", () => {
	const bare = [...walk(document.components.schemas, "")].flatMap(([path, { properties = {} }]) =>
		Object.entries(properties)
			.filter(([, { description }]) => typeof description !== "string" || description === "")
			.map(([name]) => `${path}.${name}`),
	);
	expect(bare).toEqual([]);
});

test("every reference leads to a schema, and every schema is referred to", () => {
	const refs = [...walk(document, "")].flatMap(([, { $ref }]) => (typeof $ref === "string" ? [$ref] : []));
	const schemas = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
	expect([...new Set(refs)].sort()).toEqual(schemas.sort());
});

test("no large schema is there twice: it has a name", () => {
	const seen = new Map<string, string[]>();
	for (const [path, schema] of walk(document.components.schemas, "")) {
		const text = JSON.stringify({ ...schema, description: undefined, default: undefined });
		const isAlternatives = schema.oneOf !== undefined || schema.anyOf !== undefined;
		if (isAlternatives && text.length > 1_000) seen.set(text, [...(seen.get(text) ?? []), path]);
	}
	expect([...seen.values()].filter((paths) => paths.length > 1)).toEqual([]);
});

test("regular expressions are read by other engines, too", () => {
	const patterns = [...walk(document, "")].flatMap(([, { pattern }]) =>
		typeof pattern === "string" ? [pattern] : [],
	);
	expect(patterns.length).toBeGreaterThan(10);
	expect(patterns.filter((pattern) => /\\[pP]\{|\(\?/.test(pattern.replaceAll("(?:", "")))).toEqual([]);
});

test("alternatives that a type tells apart have titles of their own", () => {
	const titles = Object.values(document.components.schemas)
		.flatMap(({ oneOf = [] }) => oneOf)
		.map(({ title }) => title);
	const named = titles.filter((title) => title !== undefined);
	expect(named).toContain("SourceAuthInputStandardWebhooks");
	expect(new Set(named).size).toBe(named.length);
});

test.each(["ingest", "takeCallback", "publishEvent"])("%s says which bodies it takes", (id) => {
	const { path = "", method = "get" } = OPERATIONS.find((operation) => operation.id === id) ?? {};
	const { content = {} } = (document.paths[path]?.[method]?.["requestBody"] ?? {}) as { content?: object };
	expect(Object.keys(content)).toContain("application/json");
	expect(Object.keys(content).length).toBeGreaterThan(1);
});

test("every refusal that passes says when to ask again", () => {
	for (const operation of Object.values(document.paths).flatMap((path) => Object.values(path))) {
		const { 503: passing } = operation["responses"] as Record<number, { headers?: object } | undefined>;
		expect(Object.keys(passing?.headers ?? {}), String(operation["operationId"])).toEqual(["Retry-After"]);
	}
});

test("no two schemas have one name", () => {
	const schemas = new Map<string, unknown>();
	for (const { body, responses } of OPERATIONS) {
		for (const named of [body?.schema, ...Object.values(responses).map(({ schema }) => schema)]) {
			if (named === undefined || named === null || named.name.endsWith("Page")) continue;
			expect(schemas.get(named.name) ?? named.schema, named.name).toBe(named.schema);
			schemas.set(named.name, named.schema);
		}
	}
});

describe.each(OPERATIONS.map((operation) => [operation.id, operation] as const))("%s", (_, operation) => {
	const described = document.paths[operation.path]?.[operation.method] ?? {};

	test("has a summary, and a text for each parameter", () => {
		expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
		for (const { name, description } of described["parameters"] as Record<string, string>[]) {
			expect(description, name).toMatch(/\.$/);
		}
	});

	test("names each of its codes once, with its status", () => {
		const responses = described["responses"] as Record<string, { description: string }>;
		const listed = Object.entries(responses).flatMap(([status, { description }]) =>
			[...description.matchAll(/`(\w+)`/g)].flatMap(([, code = ""]) =>
				isCode(code) && Number(status) >= 400 ? [[code, Number(status)]] : [],
			),
		);
		expect(Object.fromEntries(listed)).toEqual(
			Object.fromEntries(codesOf(operation).map((code) => [code, statusOfCode(code)])),
		);
	});
});

const sources = import.meta.glob<string>("../../../src/**/*.ts", {
	query: "?raw",
	import: "default",
	eager: true,
});

test("every code in the sources is known, with the status that it has there", () => {
	const refusal = /(?:new Problem|\brefuse)\(\s*(\d{3}),\s*"(\w+)"|\brefuseForNow\(\s*"(\w+)"/g;
	const found = Object.values(sources).flatMap((text) =>
		[...text.matchAll(refusal)].map(([, status = "503", code, later]) => [
			code ?? later ?? "",
			Number(status),
		]),
	);
	/** Of a delivery, never of a response. */
	const inner = "internal";
	const codes = new Map(found.filter(([code]) => code !== inner) as [string, number][]);
	expect(codes.size).toBeGreaterThan(40);
	for (const [code, status] of codes)
		expect([code, isCode(code) && statusOfCode(code)]).toEqual([code, status]);
});

test("every code can come from a route", () => {
	// Of messages from a queue only the log tells; unknown paths are no route.
	const untold = ["invalid_r2_notification", "invalid_sqs_message", "not_found"];
	const told = new Set<string>(OPERATIONS.flatMap((operation: OperationDescription) => codesOf(operation)));
	expect(
		Object.keys(CODES)
			.filter((code) => !told.has(code))
			.sort(),
	).toEqual(untold);
});

describe("/openapi.json", () => {
	test("is the document, and needs no key", async () => {
		const { status, headers, body } = await ask("GET", "/openapi.json", undefined, { authorization: "" });
		expect([status, headers.get("content-type")]).toEqual([200, "application/json"]);
		expect(body).toEqual(JSON.parse(JSON.stringify(document)));
	});

	test.each(["/openapi.json", "/docs"])("HEAD and OPTIONS of %s", async (path) => {
		const head = await ask("HEAD", path);
		expect([head.status, head.text]).toEqual([200, ""]);
		const options = await ask("OPTIONS", path);
		expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
	});
});
