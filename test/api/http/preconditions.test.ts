import { describe, expect, test } from "vitest";
import { etagOf, parseTags, refusePrecondition } from "../../../src/api/http/preconditions.ts";

test.each([
	["*", "*"],
	[" * ", "*"],
	['"1"', ['"1"']],
	['"1", W/"2" ,"a,b"', ['"1"', 'W/"2"', '"a,b"']],
	[', "1",, ', ['"1"']],
	['""', ['""']],
	["1", null],
	['"1", 2', null],
	['"1', null],
	['w/"1"', null],
	["", null],
	['*, "1"', null],
])("%j is the list %j", (header, tags) => {
	expect(parseTags(header)).toEqual(tags);
});

const seventh = { id: "src_aaaaaaaaaa", revision: 7, updatedAt: 1_800_000_000_000 };
const TAG = etagOf(seventh);

describe("the tag", () => {
	test("begins with the revision and stays the same while nothing changes", () => {
		expect(TAG).toMatch(/^"7-[0-9a-f]{8}"$/);
		expect(etagOf({ ...seventh })).toBe(TAG);
	});

	test.each([
		["after a change", { revision: 8, updatedAt: seventh.updatedAt + 1 }],
		["of what was made anew under the name", { id: "src_bbbbbbbbbb" }],
		// The database is set back, and the next change counts as the seventh once more.
		["after another history", { updatedAt: seventh.updatedAt + 1 }],
	])("is another one %s", (_, other) => {
		expect(etagOf({ ...seventh, ...other })).not.toBe(TAG);
	});
});

describe("a change is made", () => {
	test.each([
		[null, null, seventh, true],
		[null, null, null, true],
		[TAG, null, seventh, true],
		[`"6-0", ${TAG}`, null, seventh, true],
		['"6"', null, seventh, false],
		// Strong comparison: a weak tag matches nothing.
		[`W/${TAG}`, null, seventh, false],
		["*", null, seventh, true],
		["*", null, null, false],
		[TAG, null, null, false],
		['"7"', null, seventh, false],
		["7", null, seventh, false],
		[null, "*", seventh, false],
		[null, "*", null, true],
		[null, TAG, seventh, false],
		[null, `W/${TAG}`, seventh, false],
		[null, '"6"', seventh, true],
		[null, TAG, null, true],
		[null, "what", seventh, false],
		[TAG, '"6-0"', seventh, true],
		[TAG, "*", seventh, false],
	])("If-Match %j, If-None-Match %j, record %j: %s", (ifMatch, ifNoneMatch, record, made) => {
		expect(refusePrecondition({ ifMatch, ifNoneMatch }, record) === null).toBe(made);
	});
});
