/**
 * What the PUT routes have in common: whether the resource exists, what the path says about its
 * identity, and both outcomes.
 */
import type { Context } from "hono";
import type { Env } from "../../env.ts";
import type { FieldError, Problem } from "../../http/problem.ts";
import type { ReadAs } from "../../store/rows.ts";
import { isObject } from "../fields/compare.ts";
import { decodeJson, invalidRequest, readBytes } from "./body.ts";
import type { ApiEnv } from "./context.ts";
import { requirePreconditions } from "./preconditions.ts";
import { changedMeanwhile } from "./writes.ts";

/** How `putRecord` handles a kind of resource. */
export interface Putable<T> {
	find: (env: Env, ref: string) => Promise<T | null>;
	/** The 404 for an unknown id: a PUT cannot create a resource under an id. */
	missing: () => Problem;
	/**
	 * The fields that the path gives, by name; null: the path is an id and gives none. Throws 422 for
	 * anything else.
	 */
	identity: (ref: string) => Record<string, string> | null;
	/**
	 * The 201; null if another request has created it meanwhile. `body` includes its
	 * identity.
	 */
	create: (body: unknown) => Promise<Response | null>;
	/** The 200. Throws what the change throws. */
	replace: (former: T, body: unknown) => Promise<Response>;
	/** The fields of the record's identity. */
	identityOf: (record: T) => Record<string, string>;
}

const MAX_TRIES = 2;

/** Throws 412, 422 and 409 `changed_meanwhile`, and what `create` and `replace` throw. */
export async function putRecord<T extends ReadAs>(
	c: Context<ApiEnv>,
	ref: string,
	{ find, missing, identity, create, replace, identityOf }: Putable<T>,
): Promise<Response> {
	const { value } = decodeJson(c.req.raw, await readBytes(c.req.raw));
	const fromPath = identity(ref);
	for (let tries = 1; tries <= MAX_TRIES; tries++) {
		const former = await find(c.env, ref);
		if (former === null && fromPath === null) throw missing();
		requirePreconditions(c.req.raw.headers, former);
		const known = fromPath ?? (former && identityOf(former)) ?? {};
		const body = isObject(value) ? { ...known, ...value } : value;
		if (fromPath !== null) refuseContradiction(fromPath, body);
		if (former !== null) return replace(former, body);
		const created = await create(body);
		if (created !== null) return created;
	}
	throw changedMeanwhile();
}

function refuseContradiction(identity: Record<string, string>, body: unknown): void {
	if (!isObject(body)) return;
	const errors: FieldError[] = Object.entries(identity)
		.filter(([field, text]) => body[field] !== text)
		.map(([field, text]) => ({ path: field, message: `must be ${text}, as in the path, or be left out` }));
	if (errors.length > 0) throw invalidRequest(errors);
}
