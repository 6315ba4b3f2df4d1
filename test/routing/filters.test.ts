import { describe, expect, test } from "vitest";
import { filterSchema, whyNot, type Filter } from "../../src/routing/filters.ts";

const subject = {
	attributes: { id: "1", source: "/docs", type: "document.inserted", subject: "scans/a.png", priority: 3 },
	document: () => ({ type: "document.inserted", data: { record: { size: 4000, tags: ["new"] } } }),
};

describe("a filter", () => {
	test.each<[Filter, boolean]>([
		[{ exact: { type: "document.inserted" } }, true],
		[{ exact: { type: "document" } }, false],
		[{ exact: { type: "Document.Inserted" } }, false],
		[{ exact: { type: "document.inserted", source: "/docs" } }, true],
		[{ exact: { type: "document.inserted", source: "/other" } }, false],
		[{ exact: { missing: "x" } }, false],
		[{ exact: { specversion: "1.0" } }, true],
		[{ exact: { priority: "3" } }, true],
		[{ prefix: { subject: "scans/" } }, true],
		[{ prefix: { subject: "Scans/" } }, false],
		[{ suffix: { subject: ".png" } }, true],
		[{ suffix: { subject: ".jpg" } }, false],
		[{ not: { suffix: { subject: ".jpg" } } }, true],
		[{ not: { exact: { missing: "x" } } }, true],
		[{ all: [{ prefix: { subject: "scans/" } }, { suffix: { subject: ".png" } }] }, true],
		[{ all: [{ prefix: { subject: "scans/" } }, { suffix: { subject: ".jpg" } }] }, false],
		[{ any: [{ suffix: { subject: ".jpg" } }, { suffix: { subject: ".png" } }] }, true],
		[{ any: [{ suffix: { subject: ".jpg" } }, { suffix: { subject: ".gif" } }] }, false],
		[{ jsonata: "data.record.size < 5000" }, true],
		[{ jsonata: "data.record.size > 5000" }, false],
		[{ jsonata: "'new' in data.record.tags" }, true],
		[{ not: { jsonata: "data.record.size > 5000" } }, true],
		// Fail closed: what is not plainly true does not match.
		[{ jsonata: "data.record.size" }, false],
		[{ jsonata: "data.missing" }, false],
		[{ jsonata: "data.record.size + 'x'" }, false],
	])("%j: %s", async (filter, holds) => {
		expect((await whyNot([filter], subject)) === null).toBe(holds);
	});

	test("must hold together with all the others, and the first that does not is named", async () => {
		const filters: Filter[] = [{ prefix: { subject: "scans/" } }, { suffix: { subject: ".jpg" } }];
		expect(await whyNot(filters, subject)).toContain('{"suffix":{"subject":".jpg"}}');
		expect(await whyNot([], subject)).toBeNull();
	});

	test("looks at the payload only when it has to", async () => {
		const unread = {
			...subject,
			document: () => {
				throw new Error("the payload was parsed");
			},
		};
		expect(await whyNot([{ exact: { type: "document.inserted" } }], unread)).toBeNull();
	});
});

describe("the schema", () => {
	test.each([
		["an unknown dialect", { sql: "type = 'x'" }, "", /one of: exact, prefix/],
		["two dialects at once", { exact: { type: "a" }, prefix: { type: "b" } }, "", /one dialect/],
		["no object", "type = 'x'", "", /one of/],
		["an empty map", { exact: {} }, "exact", /at least one attribute/],
		["an empty text", { prefix: { subject: "" } }, "prefix.subject", /not be empty/],
		["a name that is no attribute", { exact: { "data.x": "1" } }, "exact.data.x", /lower-case/],
		["a value that is no text", { exact: { type: 1 } }, "exact.type", /must be text/],
		["an empty list", { any: [] }, "any", /not be empty/],
		["no list", { any: { exact: { type: "a" } } }, "any", /list of filters/],
		["a bad filter inside", { all: [{ not: { sufix: { subject: "x" } } }] }, "all.0.not", /one of/],
		["a bad expression", { jsonata: "data.a[" }, "jsonata", /at character 7/],
	])("refuses %s, and says where", (_what, filter, path, message) => {
		const parsed = filterSchema.safeParse(filter);
		const issue = parsed.error?.issues[0];
		expect(issue?.path.join(".")).toBe(path);
		expect(issue?.message).toMatch(message);
	});

	test("refuses nesting beyond its bound", () => {
		let filter: unknown = { exact: { type: "a" } };
		for (let depth = 1; depth < 8; depth++) filter = { not: filter };
		expect(filterSchema.safeParse(filter).success).toBe(true);
		const { error } = filterSchema.safeParse({ not: filter });
		expect(error?.issues.map(({ message }) => message)).toEqual(["filters nest up to 8 deep"]);
	});
});
