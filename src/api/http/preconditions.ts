/**
 * `ETag`, `If-Match` and `If-None-Match` (RFC 9110, section 13) on the revision of a record, so that a change is made only
 * where nobody has changed the thing since it was read.
 */
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import type { ReadAs } from "../../store/rows.ts";

type Revised = Pick<ReadAs, "revision">;

/** Of a record: `"7"`. */
export function etagOf({ revision }: Revised): string {
	return `"${revision}"`;
}

/** Adds the tag of `record` to the response of this request. */
export function setEtag(c: Context, record: Revised): void {
	c.header("etag", etagOf(record));
}

/** `*`, or the tags of a list; null: no list as RFC 9110 has it. */
type Tags = "*" | readonly string[];

/** One tag of a list. */
const TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*"$/;
/** Far more than anybody lists. */
const MAX_TAGS = 100;

/** Empty elements of a list are passed over, as section 5.6.1 asks. */
export function parseTags(header: string): Tags | null {
	if (header.trim() === "*") return "*";
	// A comma may stand within a tag.
	const parts = header.match(/(?:W\/)?"[^"]*"|[^\s,]+/g) ?? [];
	return parts.length > 0 && parts.length <= MAX_TAGS && parts.every((part) => TAG.test(part)) ? parts : null;
}

export interface Preconditions {
	ifMatch: string | null;
	ifNoneMatch: string | null;
}

export function preconditionsOf(headers: Headers): Preconditions {
	return { ifMatch: headers.get("if-match"), ifNoneMatch: headers.get("if-none-match") };
}

/**
 * Why a change of `record` (null: there is none yet) is not to be made, or null. If-Match compares strongly, so that a weak
 * tag never matches; If-None-Match compares weakly. A list that cannot be read matches nothing with If-Match, and
 * everything with If-None-Match.
 */
export function refusePrecondition(
	{ ifMatch, ifNoneMatch }: Preconditions,
	record: Revised | null,
): string | null {
	const tag = record && etagOf(record);
	if (ifMatch !== null && !matches(parseTags(ifMatch) ?? [], tag, (listed) => listed)) {
		return tag === null
			? "If-Match names a state of it, and there is none: it does not exist."
			: `If-Match names another state than the present one, which is ${tag}. Read it again, and decide anew.`;
	}
	if (ifNoneMatch !== null && matches(parseTags(ifNoneMatch) ?? "*", tag, withoutWeakness)) {
		return `If-None-Match forbids it: it exists, as ${tag ?? ""}.`;
	}
	return null;
}

function matches(tags: Tags, tag: string | null, spelt: (listed: string) => string): boolean {
	if (tag === null) return false;
	return tags === "*" || tags.some((listed) => spelt(listed) === tag);
}

function withoutWeakness(listed: string): string {
	return listed.replace(/^W\//, "");
}

/** Throws 412 `precondition_failed`. */
export function requirePreconditions(headers: Headers, record: Revised | null): void {
	const detail = refusePrecondition(preconditionsOf(headers), record);
	if (detail !== null) throw new Problem(412, "precondition_failed", detail);
}

/** The state in which alone a DELETE may delete `record` (null: it was lost), or null: whatever has become of it. Throws 412. */
export function deletableAs<T extends Revised>(headers: Headers, record: T | null): T | null {
	requirePreconditions(headers, record);
	return headers.has("if-match") ? record : null;
}

/** The 412 for what has changed between its reading and its deletion. */
export function overtaken(): Problem {
	return new Problem(
		412,
		"precondition_failed",
		"It has just been changed, so nothing was deleted. Read it again.",
	);
}
