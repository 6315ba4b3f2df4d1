/** docs/api.md and the description say the same: routes, fields and codes, both ways. */
import { describe, expect, test } from "vitest";
import { CODES, type Code } from "../../../src/api/openapi/codes.ts";
import { buildDocument } from "../../../src/api/openapi/document.ts";
import type { JsonSchema } from "../../../src/api/openapi/operation.ts";
import { rolesOf } from "../../../src/api/openapi/roles.ts";
import { OPERATIONS } from "../../../src/api/openapi/operations.ts";

const [text = ""] = Object.values(
	import.meta.glob<string>("../../../docs/api.md", { query: "?raw", import: "default", eager: true }),
);

const METHODS = "GET|POST|PUT|PATCH|DELETE|OPTIONS|HEAD";

/** Everything between backticks, code blocks too. */
const code = [...text.matchAll(/```[^]*?```|`[^`]+`/g)].map(([found]) => found).join("\n");
const routes = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);

/**
 * Of one line. `POST /v1/sources/{ref}/pause` and `…/resume` name two routes, `GET`, `PATCH /v1/sources/{ref}` as well; `…` is what
 * stands before it in the line, to the end of its last parameter.
 */
function routesIn(line: string): string[] {
	const found: string[] = [];
	let base = "";
	let bare: string[] = [];
	let last: string[] = [];
	for (const [, span = ""] of line.matchAll(/`([^`]+)`/g)) {
		const [, method, path] =
			new RegExp(`^(?:(${METHODS}) )?(/[a-z][^ ?]*|…/[^ ?]*)(?:\\?[^ ]*)?$`).exec(span) ?? [];
		if (new RegExp(`^(?:${METHODS})$`).test(span)) bare.push(span);
		// Without a path before it, it speaks of several resources.
		if (path === undefined || (path.startsWith("…") && base === "")) continue;
		const isRelative = path.startsWith("…");
		const named = method === undefined ? bare : [...bare, method];
		const methods = named.length === 0 && isRelative ? last : named;
		base = isRelative ? path.replace("…", base.replace(/\}[^}]*$/, "}")) : path;
		found.push(...methods.map((one) => `${one} ${base}`));
		bare = [];
		last = methods;
	}
	return found;
}

function documentedRoutes(): string[] {
	return [...new Set(text.split("\n").flatMap(routesIn))];
}

test("every route of the description is documented", () => {
	const documented = documentedRoutes();
	expect(routes.filter((route) => !documented.includes(route))).toEqual([]);
});

test("every route that is documented exists", () => {
	const documented = documentedRoutes();
	expect(documented.length).toBeGreaterThan(25);
	expect(documented.filter((route) => !routes.includes(route))).toEqual([]);
});

test("the table of roles is the table of rights", () => {
	const rows = [...text.matchAll(/^\| (`[A-Z]+ .*`) \|(.*)\|(.*)\|(.*)\|$/gm)];
	const documented = new Map(
		rows.flatMap(([, named = "", ...cells]) => {
			const grades = cells.map((cell) => cell.trim());
			return routesIn(named).map((route) => [route, grades.map(gradeIn)] as const);
		}),
	);
	expect(documented.size).toBeGreaterThan(25);
	const keyed = OPERATIONS.filter(({ access = "key" }) => access === "key");
	for (const operation of keyed) {
		const roles = rolesOf(operation);
		const grades = [roles?.publisher, roles?.subscriber, roles?.viewer];
		const route = `${operation.method.toUpperCase()} ${operation.path}`;
		// What the table does not name is for admins.
		const none = [undefined, undefined, undefined];
		expect([route, documented.get(route) ?? none]).toEqual([route, grades]);
	}
});

/** A cell of that table: what says whose they are means "own". */
function gradeIn(cell: string): string | undefined {
	if (cell === "") return undefined;
	return cell === "all" || cell === "yes" ? "all" : "own";
}

/** Names of all fields, wherever they stand. */
function* fieldsOf(schema: unknown): Generator<string> {
	if (typeof schema !== "object" || schema === null) return;
	if (!Array.isArray(schema)) yield* Object.keys((schema as JsonSchema).properties ?? {});
	for (const inner of Object.values(schema)) yield* fieldsOf(inner);
}

function isNamed(name: string): boolean {
	return new RegExp(`(?<![\\w-])${name}(?![\\w-])`, "i").test(code);
}

test("every field and every parameter is documented", () => {
	const { components, paths } = buildDocument(OPERATIONS);
	const parameters = Object.values(paths)
		.flatMap((path) => Object.values(path))
		.flatMap(({ parameters }) => (parameters as { name: string }[]).map(({ name }) => name));
	// Of OpenAPI itself, and the dialects that docs/expressions.md has.
	const elsewhere = ["openapi", "exact", "prefix", "suffix", "all", "any", "not", "jsonata"];
	const names = [...new Set([...fieldsOf(components.schemas), ...parameters])];
	expect(names.length).toBeGreaterThan(100);
	expect(names.filter((name) => !elsewhere.includes(name) && !isNamed(name)).sort()).toEqual([]);
});

/** The rows of the first table with defaults after a heading, each with its field, default and text. */
function rowsAfter(heading: string): { field: string; value: string; said: string }[] {
	const start = text.indexOf("| Field | Default | |", text.indexOf(`\n## ${heading}\n`));
	const table = text.slice(start, text.indexOf("\n\n", start));
	return [...table.matchAll(/^\| (`[^|]+`) \|([^|]*)\|(.*)\|$/gm)].flatMap(
		([, named = "", value = "", said = ""]) =>
			[...named.matchAll(/`([a-z_.]+)`/g)].map(([, field = ""]) => ({ field, value: value.trim(), said })),
	);
}

function at(schema: JsonSchema | undefined, path: readonly string[]): JsonSchema | undefined {
	const [name, ...rest] = path;
	if (schema === undefined || name === undefined) return schema;
	const parts: JsonSchema[] = [schema, ...(schema.anyOf ?? [])];
	const inner = parts.map(({ properties }) => properties?.[name]).find((part) => part !== undefined);
	return at(inner, rest);
}

/** Of a field and, where it may be null, of what it is else. */
function limitsOf(schema: JsonSchema): number[] {
	return [schema, ...(schema.anyOf ?? [])].flatMap(({ minimum, maximum, maxItems, maxLength }) =>
		[minimum, maximum, maxItems, maxLength].filter((limit) => typeof limit === "number"),
	);
}

function isEqualJson(literal: string, value: unknown): boolean {
	try {
		return JSON.stringify(JSON.parse(literal)) === JSON.stringify(value);
	} catch {
		return false;
	}
}

describe("the table of fields says the defaults and limits of the description", () => {
	const { schemas } = buildDocument(OPERATIONS).components as { schemas: Record<string, JsonSchema> };

	test.each([
		["Sources", "SourceCreate", 10],
		["Endpoints", "EndpointCreate", 15],
		["Subscriptions", "SubscriptionCreate", 10],
		["Keys and roles", "KeyCreate", 5],
	])("%s", (heading, name, least) => {
		const rows = rowsAfter(heading);
		expect(rows.length).toBeGreaterThan(least);
		const wrong = rows.flatMap(({ field, value, said }) => {
			const schema = at(schemas[name], field.split("."));
			if (schema === undefined) return [`${field} is not in the description`];
			const [, literal = value] = /^`([^`]*)`/.exec(value) ?? [];
			const { default: known } = schema;
			const isSame =
				literal === known ||
				literal.split(/[:;]/)[0] === JSON.stringify(known) ||
				isEqualJson(literal, known);
			const numbers = [...`${value} ${said}`.replaceAll(/(?<=\d),(?=\d{3})/g, "").matchAll(/\d+/g)].map(
				Number,
			);
			return [
				...(known === undefined || isSame ? [] : [`${field}: default ${JSON.stringify(known)}`]),
				...limitsOf(schema)
					.filter((limit) => limit > 1 && !numbers.includes(limit))
					.map((limit) => `${field}: limit ${limit}`),
			];
		});
		expect(wrong).toEqual([]);
	});
});

describe("error codes", () => {
	const table = text.slice(text.indexOf("## Error codes"));
	const documented = [...table.matchAll(/^\| (\d{3}) \| ([^|]+) \|/gm)].flatMap(([, status, codes = ""]) =>
		[...codes.matchAll(/`(\w+)`/g)].map(([, code = ""]) => `${code} ${status}`),
	);

	test("the table has each once, with its status, and no other", () => {
		const known = Object.keys(CODES).map((code) => `${code} ${CODES[code as Code][0]}`);
		expect([...documented].sort()).toEqual(known.sort());
	});
});
