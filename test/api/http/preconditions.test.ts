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

const seventh = { revision: 7 };

test("the tag is the revision", () => {
	expect(etagOf(seventh)).toBe('"7"');
});

describe("a change is made", () => {
	test.each([
		[null, null, seventh, true],
		[null, null, null, true],
		['"7"', null, seventh, true],
		['"6", "7"', null, seventh, true],
		['"6"', null, seventh, false],
		// Strong comparison: a weak tag matches nothing.
		['W/"7"', null, seventh, false],
		["*", null, seventh, true],
		["*", null, null, false],
		['"7"', null, null, false],
		["7", null, seventh, false],
		[null, "*", seventh, false],
		[null, "*", null, true],
		[null, '"7"', seventh, false],
		[null, 'W/"7"', seventh, false],
		[null, '"6"', seventh, true],
		[null, '"7"', null, true],
		[null, "what", seventh, false],
		['"7"', '"6"', seventh, true],
		['"7"', "*", seventh, false],
	])("If-Match %j, If-None-Match %j, record %j: %s", (ifMatch, ifNoneMatch, record, made) => {
		expect(refusePrecondition({ ifMatch, ifNoneMatch }, record) === null).toBe(made);
	});
});
