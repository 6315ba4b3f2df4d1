/**
 * Warnings about subscriptions that are valid but probably not intended. Returned when one is
 * written; nothing is refused. Pure.
 */
import * as z from "zod";
import { typeMatches } from "../../events/cloudevents/type-pattern.ts";
import { RESULTS_SOURCE_ID, SLUICE_SOURCE_ID } from "../../events/ids.ts";
import { OPERATIONAL_TYPES } from "../../operations/occurrence.ts";
import type { Subscription } from "../../store/records.ts";

export const warningSchema = z.strictObject({
	code: z
		.enum(["only_loops", "own_results_match", "no_such_events", "no_wildcard"])
		.describe("The stable code of the warning."),
	path: z.string().describe("The field that the warning is about."),
	message: z.string().describe("What will happen, and what to write instead."),
});

export type Warning = z.output<typeof warningSchema>;

/**
 * `endpointName`: the target's name without the version. A result without its own type is named
 * after it.
 */
export function warningsOf(subscription: Judged, endpointName: string): Warning[] {
	return [...literalWildcards(subscription.types), ...fruitless(subscription, endpointName)];
}

type Judged = Pick<Subscription, "sourceId" | "types" | "filters" | "result">;

/** What other systems write for "anything", and no event type is likely to contain. */
const FOREIGN_WILDCARD = /[?%#^$|+()[\]{}]/;

function literalWildcards(types: readonly string[]): Warning[] {
	return types.flatMap((type, index) => {
		const [sign] = FOREIGN_WILDCARD.exec(type) ?? [];
		if (sign === undefined) return [];
		const message = `${sign} is taken literally in a type: only a * at the end is a wildcard. For anything else, leave types empty and compare \`type\` in a jsonata filter`;
		return [{ code: "no_wildcard", path: `types.${index}`, message }];
	});
}

/** A subscription that gets nothing, or mostly its own results. */
function fruitless({ sourceId, types, filters, result }: Judged, endpointName: string): Warning[] {
	const unknown = unknownOperations(sourceId, types);
	if (unknown !== null) return [unknown];
	if (result === null || result.allowCycles) return [];
	if (sourceId !== null && sourceId !== RESULTS_SOURCE_ID) return [];
	const own = result.type ?? `${endpointName}.completed`;
	const isOwn = (pattern: string): boolean => typeMatches(pattern, own);
	if (types.length > 0 && !types.some(isOwn)) return [];
	if (sourceId === RESULTS_SOURCE_ID && types.length > 0 && types.every((type) => type === own)) {
		const message = `it listens only to results of type ${own}, which is also the type of its own results: unless another subscription publishes that type, no event ever arrives, and an event that does arrive ends as a dead delivery \`loop\` one step later. Use another type, or set result.allow_cycles`;
		return [{ code: "only_loops", path: "types", message }];
	}
	// Filters may exclude them.
	if (filters.length > 0) return [];
	const message = `its own results (${own}) match it again, and each of them ends as a dead delivery \`loop\`. Set the source or the types that it should receive, or set result.allow_cycles`;
	return [{ code: "own_results_match", path: types.length > 0 ? "types" : "source", message }];
}

/** The source `sluice` has events of a few types and no others: a subscription to none of them gets nothing. */
function unknownOperations(sourceId: string | null, types: readonly string[]): Warning | null {
	if (sourceId !== SLUICE_SOURCE_ID || types.length === 0) return null;
	if (OPERATIONAL_TYPES.some((type) => types.some((pattern) => typeMatches(pattern, type)))) return null;
	const message = `source sluice has no events of these types, so nothing ever arrives. It has: ${OPERATIONAL_TYPES.join(", ")}`;
	return { code: "no_such_events", path: "types", message };
}
