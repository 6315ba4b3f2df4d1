/** Schemas of fields that several resources have: names, header names, event types. */
import * as z from "zod";
import { RESOURCE_NAME } from "../../events/ids.ts";
import { STATUSES } from "../../store/records.ts";

/**
 * A name that can be part of a URL. It never looks like an id, so a resource can be addressed by
 * either.
 */
export function nameField(idPrefix: string): z.ZodString {
	return z
		.string()
		.regex(
			RESOURCE_NAME,
			"up to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit",
		)
		.refine((name) => !name.startsWith(`${idPrefix}_`), `cannot begin with ${idPrefix}_, as ids do`);
}

/**
 * White space at the ends of a secret is a copying mistake: HTTP and many forms remove it, so that
 * the two sides would never agree.
 */
export const SPACE_AROUND = "must not begin or end with white space";

export function hasSpaceAround(secret: string): boolean {
	return secret !== secret.trim();
}

/** The statuses that a new resource may have; later changes use actions. */
export const statusField = z.enum(STATUSES);

/** For a field that only actions can change; the error names them. */
export const CHANGED_BY_ACTION = z
	.never("cannot be changed here; use POST …/pause or POST …/resume")
	.optional();

/** RFC 9110, section 5.1. */
export const headerName = z
	.string()
	.max(256)
	.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "not a header name");

export const eventTypeField = z.string().min(1).max(256);

/** An event type, or a prefix followed by `*`. */
export const typePattern = eventTypeField.refine(
	(pattern) => !pattern.slice(0, -1).includes("*"),
	"* is only allowed at the end",
);

/** In the query of a list: a name, or a prefix followed by `*`. */
export const namePattern = z
	.string()
	.regex(/^(?:[A-Za-z0-9][A-Za-z0-9._-]{0,63}\*?|\*)$/, "must be a name, or a prefix followed by *")
	.describe("A name, or a prefix followed by *.");
