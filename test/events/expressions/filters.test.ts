import { describe, expect, test } from "vitest";
import { filterSchema, whyNot, type Filter, type Filtered } from "../../../src/events/expressions/filters.ts";

let count = 0;

function having(...filters: Filter[]): Filtered {
	return { id: `sub_${count++}`, updatedAt: 0, quarantine: null, filters };
}

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
		expect((await whyNot(having(filter), subject)) === null).toBe(holds);
	});

	test("must hold together with all the others, and the first that does not is named", async () => {
		const filters: Filter[] = [{ prefix: { subject: "scans/" } }, { suffix: { subject: ".jpg" } }];
		expect(await whyNot(having(...filters), subject)).toContain('{"suffix":{"subject":".jpg"}}');
		expect(await whyNot(having(), subject)).toBeNull();
	});

	test("looks at the payload only when it has to", async () => {
		const unread = {
			...subject,
			document: () => {
				throw new Error("the payload was parsed");
			},
		};
		expect(await whyNot(having({ exact: { type: "document.inserted" } }), unread)).toBeNull();
	});
});

describe("an expression that overruns is set aside", () => {
	const hostile = { jsonata: "$pad('', 1000000000)" };

	test.each<[string, Filter[], string]>([
		["alone", [hostile], "filters.0.jsonata"],
		["behind others", [{ exact: { source: "/docs" } }, hostile], "filters.1.jsonata"],
		["negated, where an error would match", [{ not: hostile }], "filters.0.not.jsonata"],
		[
			"as one of several that may hold",
			[{ any: [hostile, { exact: { source: "/docs" } }] }],
			"filters.0.any.0.jsonata",
		],
		[
			"as one of several that must",
			[{ all: [{ not: { any: [hostile] } }] }],
			"filters.0.all.0.not.any.0.jsonata",
		],
	])("%s: then none of the filters holds any more", async (_what, filters, field) => {
		const subscription = having(...filters);
		expect(await whyNot(subscription, subject)).toMatch(
			`${field} is set aside: the expression creates a text`,
		);
		// The neighbour has the very same expression, and its own trouble.
		expect(await whyNot(having({ exact: { source: "/docs" } }), subject)).toBeNull();
		const unread = { ...subject, document: () => expect.unreachable() };
		expect(await whyNot(subscription, unread)).toMatch(`${field} is set aside`);
	});

	test("until the subscription has changed", async () => {
		const subscription = having(hostile);
		await whyNot(subscription, subject);
		const changed = { ...subscription, updatedAt: 1, filters: [{ jsonata: "true" }] };
		expect(await whyNot(changed, subject)).toBeNull();
	});

	test("and one that D1 says is set aside is not tried at all", async () => {
		const quarantine = { field: "filters.0.jsonata", reason: "too many steps", at: 1 };
		const unread = { ...subject, document: () => expect.unreachable() };
		expect(await whyNot({ ...having({ jsonata: "true" }), quarantine }, unread)).toBe(
			"filters.0.jsonata is set aside: too many steps",
		);
		// One of another field is none of the filters' business.
		const transform = { ...quarantine, field: "transform" };
		expect(await whyNot({ ...having({ jsonata: "true" }), quarantine: transform }, subject)).toBeNull();
	});

	test("an ordinary failure is not", async () => {
		const subscription = having({ jsonata: "$error('not this one')" });
		expect(await whyNot(subscription, subject)).toContain("filter does not hold");
		expect(await whyNot(subscription, subject)).toContain("filter does not hold");
	});
});

describe("the schema", () => {
	test.each([
		["an unknown dialect", { sql: "type = 'x'" }, "", /one of these dialects: exact, prefix/],
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
		expect(error?.issues.map(({ message }) => message)).toEqual(["filters can nest at most 8 levels deep"]);
	});
});
