/** Every example of the description is sent as it stands, in the order of the routes, and has to be taken. */
import { expect, test, vi } from "vitest";
import { readText } from "../../../src/api/openapi/operation.ts";
import { OPERATIONS } from "../../../src/api/openapi/operations.ts";
import { ask } from "../client.ts";

const cases = OPERATIONS.flatMap(({ id, method, path, params = {}, body, responses }) =>
	Object.entries(body?.examples ?? {}).map(([name, value]) => {
		const filled = path.replaceAll(/\{(\w+)\}/g, (_, param: string) => {
			const { examples } = readText(params[param] ?? "").schema;
			return String((examples as unknown[] | undefined)?.[0]);
		});
		return { title: `${id}: ${name}`, method: method.toUpperCase(), path: filled, value, responses };
	}),
);

test("the examples are taken", async () => {
	// In place of the model server that one of them asks.
	vi.spyOn(globalThis, "fetch").mockImplementation(async () => Response.json({ text: "read" }));
	for (const { title, method, path, value, responses } of cases) {
		const { status, text } = await ask(method, path, value);
		expect(Object.keys(responses), `${title}: ${text}`).toContain(String(status));
	}
	expect(cases.length).toBeGreaterThan(10);
});

test("every route with a body has an example", () => {
	const bare = OPERATIONS.filter(({ body }) => body !== undefined && Object.keys(body.examples).length === 0);
	expect(bare.map(({ id }) => id)).toEqual([]);
});
