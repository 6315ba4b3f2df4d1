/** docs/models.md: the endpoints and subscriptions of each section are accepted as they stand there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { setting } from "../support/setting.ts";
import { anchorsOf, blocksOf, PROJECT } from "./markdown.ts";

const stage = setting();
const DOCS = readFileSync(join(PROJECT, "docs/models.md"), "utf8");
const README = readFileSync(join(PROJECT, "README.md"), "utf8");

interface Call {
	path: string;
	body: Record<string, unknown>;
}

/** `api /path -d '{…}'` */
const CALL = /^api (\/\w+) -d '([^']*)'$/gm;

/** As the shell would run them. */
function callsIn(code: string): Call[] {
	return [...code.matchAll(CALL)].map(([, path = "", json = ""]) => {
		return { path, body: JSON.parse(json) as Call["body"] };
	});
}

const SECTIONS = Map.groupBy(
	blocksOf(DOCS, "sh").flatMap(({ heading, code }) => callsIn(code).map((call) => ({ heading, call }))),
	({ heading }) => heading,
);

test("every `api` line of the page is one that this test runs", () => {
	const found = [...SECTIONS.values()].flat().length;
	expect(found).toBe([...DOCS.matchAll(/^api /gm)].length);
	expect(found).toBeGreaterThan(25);
});

test("there are no commands besides them, but for those of callback.test.ts", () => {
	const others = blocksOf(DOCS, "sh").filter(({ code }) => code.replaceAll(CALL, "").trim() !== "");
	expect(others.filter(({ heading, code }) => heading !== "Callback" || !code.startsWith("curl "))).toEqual(
		[],
	);
});

test("every protocol that the README names has a section", () => {
	const named = [...README.matchAll(/\(docs\/models\.md#([\w-]+)\)/g)].map(([, anchor = ""]) => anchor);
	expect(named).toContain("open-inference");
	expect(named.filter((anchor) => !anchorsOf(DOCS).has(anchor))).toEqual([]);
});

test.each([...SECTIONS])("%s", async (_, calls) => {
	const created: string[] = [];
	try {
		for (const { call } of calls) {
			const { path, body } = call;
			const response = await stage.api.ask("POST", `/v1${path}`, body);
			if (needsBinding(body)) {
				// The bindings are not there unless somebody takes them in: then the lines to add are named.
				expect(response).toMatchObject({ status: 422, body: { code: "invalid_request" } });
				expect(JSON.stringify(response.body)).toContain("wrangler.toml");
				break;
			}
			expect(response, JSON.stringify(response.body)).toMatchObject({ status: 201 });
			created.push(`/v1${path}/${String(response.body["id"])}`);
		}
	} finally {
		// Subscriptions come behind their endpoints, which cannot be deleted before them.
		for (const path of created.toReversed()) await stage.api.ask("DELETE", path);
	}
});

function needsBinding({ url }: Call["body"]): boolean {
	return /^(?:workers-ai|queue|vpc):/.test(String(url));
}
