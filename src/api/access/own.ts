/** For routes: narrows lists to what the key may see, and checks the names in request bodies. */
import { BUILTIN_SOURCES, SLUICE_SOURCE_ID } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";
import type { Scope } from "../../store/access/keys.ts";
import { type Condition, matchesOneOf } from "../../store/rows.ts";
import { type Principal, covers, coversAll, coversSource } from "./principal.ts";
import type { Grade } from "./rights.ts";

/** What the guard knows about a request; `c.var` of a route. */
export interface Asker {
	principal: Principal;
	grade: Grade;
}

/** The names that the asker may see, as patterns; null: all of them. */
export function ownNames({ principal, grade }: Asker, of: keyof Scope): readonly string[] | null {
	const patterns = principal.scope[of];
	return grade === "all" || coversAll(patterns) ? null : patterns;
}

/**
 * Whether the asker may see operational events and the subscriptions to them: a key with "*" may see
 * all sources except this one.
 */
export function mayReadOperational({ grade, principal }: Asker): boolean {
	return grade === "all" || coversSource(principal, BUILTIN_SOURCES[SLUICE_SOURCE_ID]);
}

/**
 * For a list in D1 whose rows have a `name`: the condition for rows that the asker may see; empty:
 * all rows.
 */
export function ownRows(asker: Asker, of: keyof Scope): Condition[] {
	const patterns = ownNames(asker, of);
	return patterns === null ? [] : [matchesOneOf("name", patterns)];
}

/** Throws 403 `forbidden` if a name in a request is outside the asker's scope. */
export function requireOwnName(asker: Asker, of: keyof Scope, name: string): void {
	const patterns = ownNames(asker, of);
	if (patterns === null || covers(patterns, name)) return;
	throw forbidden(asker.principal, of, name);
}

/** The 403 for a name outside the scope of a key. */
export function forbidden({ scope }: Principal, of: keyof Scope, name: string): Problem {
	const known = scope[of].length === 0 ? "none" : scope[of].join(", ");
	return new Problem(403, "forbidden", `This key may not use ${name}. Its ${of} are: ${known}.`);
}
