/** docs/api.md and the description say the same: routes, fields and codes, both ways. */
import { describe, expect, test } from "vitest";
import { CODES, type Code } from "../../../src/api/openapi/codes.ts";
import { buildDocument } from "../../../src/api/openapi/document.ts";
import type { JsonSchema } from "../../../src/api/openapi/operation.ts";
import { OPERATIONS } from "../../../src/api/openapi/operations.ts";

const [text = ""] = Object.values(
	import.meta.glob<string>("../../../docs/api.md", { query: "?raw", import: "default", eager: true }),
);

const METHODS = "GET|POST|PUT|PATCH|DELETE|OPTIONS|HEAD";

/** Everything between backticks, code blocks too. */
const code = [...text.matchAll(/```[^]*?```|`[^`]+`/g)].map(([found]) => found).join("\n");
const routes = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`);

/** `POST /v1/sources/{ref}/pause` and `…/resume` name two routes, `GET`, `PATCH /v1/sources/{ref}` as well. */
function documentedRoutes(): string[] {
	const found: string[] = [];
	for (const line of text.split("\n")) {
		let base = "";
		let methods: string[] = [];
		for (const [, span = ""] of line.matchAll(/`([^`]+)`/g)) {
			const bare = new RegExp(`^(?:${METHODS})$`).test(span);
			const [, method, path] =
				new RegExp(`^(?:(${METHODS}) )?(/[a-z][^ ?]*|…/[^ ?]*)(?:\\?[^ ]*)?$`).exec(span) ?? [];
			if (bare) methods.push(span);
			// Without a path before it, it speaks of several resources.
			if (path === undefined || (path.startsWith("…") && base === "")) continue;
			const all = method === undefined ? methods : [...methods, method];
			if (path.startsWith("/")) base = path;
			const full = path.startsWith("…") ? path.replace("…", base.replace(/\/[a-z]+$/, "")) : path;
			found.push(...all.map((one) => `${one} ${full}`));
			methods = path.startsWith("/") && method !== undefined ? [method] : [];
		}
	}
	return [...new Set(found)];
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
