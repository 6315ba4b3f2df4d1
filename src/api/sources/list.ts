/** The filters of the source list. */
import * as z from "zod";
import { KIND_NAMES, isKindName } from "../../sources/registry.ts";
import type { Source } from "../../store/records.ts";
import { type Condition, matchesOneOf } from "../../store/rows.ts";
import { namePattern } from "../fields/fields.ts";
import { statusOf } from "../fields/status.ts";
import { pageQuery } from "../http/query.ts";

export const sourceListQuery = z.strictObject({
	...pageQuery,
	name: namePattern.optional(),
	kind: z
		.string()
		.refine(isKindName, `one of: ${KIND_NAMES.join(", ")}`)
		.optional()
		.describe("Only sources of this kind."),
	status: z.enum(["active", "paused", "quarantined"]).optional().describe("Only sources with this status."),
});

type Query = z.output<typeof sourceListQuery>;

export function sourcesMatching({ name, kind }: Query): Condition[] {
	return [
		...(name === undefined ? [] : [matchesOneOf("name", [name])]),
		...(kind === undefined ? [] : [matchesOneOf("kind", [kind])]),
	];
}

/** The shown status depends on more than its column, such as whether its secrets can be read. */
export function hasStatus(source: Source, { status }: Query): boolean {
	return status === undefined || statusOf(source).status === status;
}
