/** Query strings, checked against a schema; and the parts that list schemas share. */
import type { Context } from "hono";
import * as z from "zod";
import { Problem } from "../../http/problem.ts";
import { toFieldErrors, wording } from "./refusals.ts";

export const DEFAULT_LIMIT = 50;
export const MAX_LIMIT = 200;

/**
 * Parameters of every list. Each list defines the meaning of its cursor; see
 * pages.ts.
 */
export const pageQuery = {
	limit: z
		.string()
		.regex(/^\d{1,9}$/, `a number from 1 to ${MAX_LIMIT}`)
		.transform(Number)
		.refine((limit) => limit >= 1 && limit <= MAX_LIMIT, `a number from 1 to ${MAX_LIMIT}`)
		.optional(),
	cursor: z.string().optional(),
};

/** Throws 400 `invalid_query` with one entry for each invalid parameter. */
export function readQuery<S extends z.ZodObject>(c: Context, schema: S): z.output<S> {
	const repeated = Object.entries(c.req.queries()).filter(([, values]) => values.length > 1);
	if (repeated.length > 0) throw invalidQuery(repeated.map(([path]) => ({ path, message: "give it once" })));
	const parsed = schema.safeParse(c.req.query(), { error: wording });
	if (parsed.success) return parsed.data;
	throw invalidQuery(toFieldErrors(parsed.error));
}

export function invalidQuery(errors: readonly { path: string; message: string }[]): Problem {
	const names = errors.map(({ path }) => path).join(", ");
	return new Problem(400, "invalid_query", `Not valid in the query: ${names}.`, { errors });
}
