/**
 * Blocks of JSON that show a response of the API are as /openapi.json describes it: every field is one of it, and where the
 * response is shown whole, none is missing.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { claimOf } from "./claims.ts";
import { fencesOf, pages, PROJECT } from "./markdown.ts";
import { setting } from "../support/setting.ts";
import { closed, type Document, excerptsOf, validators } from "../support/described.ts";

const stage = setting();
const SELF = "json.test.ts";

interface Shown {
	/** Page and heading, as a link to it would name them. */
	at: string;
	/** The operation and the status of its response. */
	operation: string;
	/** Fields are left out. */
	isExcerpt?: true;
	/** It is one entry of the list that the operation responds with. */
	isEntry?: true;
}

/** In the order of the pages. */
const SHOWN: readonly Shown[] = [
	{ at: "docs/api.md#Conventions", operation: "POST /v1/sources 422" },
	{ at: "docs/api.md#Sources", operation: "GET /v1/sources/{ref} 200", isExcerpt: true },
	{ at: "docs/api.md#Sources", operation: "GET /v1/sources/{ref}/setup 200" },
	{ at: "docs/api.md#Endpoints", operation: "POST /v1/endpoints/{ref}/test 200" },
	{ at: "docs/api.md#Endpoints", operation: "GET /v1/endpoints/{ref}/health 200" },
	{ at: "docs/api.md#Previews", operation: "POST /v1/subscriptions/preview 200" },
	{ at: "docs/api.md#Configuration", operation: "POST /v1/config 200" },
	{ at: "docs/api.md#Events", operation: "GET /v1/events/{id}/trace 200", isExcerpt: true },
	{ at: "docs/api.md#Deliveries", operation: "GET /v1/deliveries/{id} 200" },
	{ at: "docs/api.md#Many deliveries at once", operation: "GET /v1/bulk/{id} 200" },
	{ at: "docs/api.md#Dead letters", operation: "GET /v1/dead-letters 200", isEntry: true },
	{ at: "docs/api.md#Audit log", operation: "GET /v1/audit 200", isEntry: true },
	{ at: "docs/expressions.md#Set aside", operation: "GET /v1/sources/{ref} 200", isExcerpt: true },
	{ at: "docs/models.md#What a delivery shows", operation: "GET /v1/deliveries/{id} 200", isExcerpt: true },
	{ at: "docs/operations.md#Health", operation: "GET /healthz 200" },
];

const blocks = pages().flatMap((page) =>
	fencesOf(readFileSync(join(PROJECT, page), "utf8"))
		.filter((block) => claimOf(page, block) === SELF)
		.map(({ heading, code }) => ({ at: `${page}#${heading}`, code })),
);

test("every block of JSON is one of those below", () => {
	expect(blocks.map(({ at }) => at)).toEqual(SHOWN.map(({ at }) => at));
});

test("docs/api.md, Conventions: a refusal is what the router responds with", async () => {
	const { body } = await stage.api.ask("POST", "/v1/sources", { name: "api", kinds: "generic" });
	expect(body).toEqual(JSON.parse(blocks[0]?.code ?? ""));
});

describe("as it is described", async () => {
	const response = await fetch(`${inject("routerUrl")}/openapi.json`);
	const document = (await response.json()) as Document;
	const whole = validators(document, closed);
	const excerpt = validators(document, (schema) => excerptsOf(closed(schema)));

	test.each(SHOWN.map((shown, index) => ({ ...shown, code: blocks[index]?.code ?? "" })))(
		"$at: $operation",
		({ operation, isExcerpt = false, isEntry = false, code }) => {
			const [method = "", path = "", status = ""] = operation.split(" ");
			const described = document.paths[path]?.[method.toLowerCase()]?.responses[status];
			const [content] = Object.values(described?.content ?? {});
			const validate = (isExcerpt ? excerpt : whole)(content?.schema);
			const shown: unknown = JSON.parse(code);
			expect(
				validate(isEntry ? { data: [shown], next_cursor: null } : shown) ? null : validate.errors,
			).toBeNull();
		},
	);
});
