/**
 * `ETag`, `If-Match` and `If-None-Match` (RFC 9110, section 13), based on the state of a record, so
 * that a change is made only if the resource has not changed since it was read.
 */
import { hash } from "node:crypto";
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import type { ReadAs } from "../../store/rows.ts";

/**
 * The ETag of a record: `"7-5f1d3c9a"`, its revision and a hash. A revision alone repeats: after a
 * resource has been deleted and created again, and after the database has been restored.
 */
export function etagOf({ id, revision, updatedAt }: ReadAs): string {
	return `"${revision}-${hash("sha256", `${id} ${updatedAt}`, "hex").slice(0, 8)}"`;
}

/** Adds the tag of `record` to the response of this request. */
export function setEtag(c: Context, record: ReadAs): void {
	c.header("etag", etagOf(record));
}

/** `*`, or the tags of a list; null: not a list by RFC 9110. */
type Tags = "*" | readonly string[];

/** One tag of a list. */
const TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\uffff]*"$/;
/** Far more than clients send. */
const MAX_TAGS = 100;

/** Empty elements of a list are ignored, as section 5.6.1 requires. */
export function parseTags(header: string): Tags | null {
	if (header.trim() === "*") return "*";
	// A tag may contain a comma.
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
 * Why a change of `record` (null: there is none yet) must not be made, or null. If-Match compares
 * strongly, so that a weak tag never matches; If-None-Match compares weakly. An unreadable list
 * matches nothing in If-Match, and everything in If-None-Match.
 */
export function refusePrecondition(
	{ ifMatch, ifNoneMatch }: Preconditions,
	record: ReadAs | null,
): string | null {
	const tag = record && etagOf(record);
	if (ifMatch !== null && !matches(parseTags(ifMatch) ?? [], tag, (listed) => listed)) {
		return tag === null
			? "If-Match requires the resource to exist, but it does not."
			: `If-Match does not match the current state, which is ${tag}. Read the resource again before you change it.`;
	}
	if (ifNoneMatch !== null && matches(parseTags(ifNoneMatch) ?? "*", tag, withoutWeakness)) {
		return `If-None-Match does not allow this, because the resource exists with the tag ${tag ?? ""}.`;
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
export function requirePreconditions(headers: Headers, record: ReadAs | null): void {
	const detail = refusePrecondition(preconditionsOf(headers), record);
	if (detail !== null) throw new Problem(412, "precondition_failed", detail);
}

/**
 * The state that `record` (null: it was lost) must have to be deleted, or null: any state. Throws
 * 412.
 */
export function deletableAs(headers: Headers, record: ReadAs | null): ReadAs | null {
	requirePreconditions(headers, record);
	return headers.has("if-match") ? record : null;
}

/** The 412 for a record that changed between its reading and its deletion. */
export function overtaken(): Problem {
	return new Problem(
		412,
		"precondition_failed",
		"The resource has just been changed, so nothing was deleted. Read it again.",
	);
}
