/** What is allowed in a subscription and most likely not meant. Told when it is written; nothing is refused. Pure. */
import * as z from "zod";
import { typeMatches } from "../../events/cloudevents/type-pattern.ts";
import { RESULTS_SOURCE_ID } from "../../events/ids.ts";
import type { Subscription } from "../../store/records.ts";

export const warningSchema = z.strictObject({
	code: z.enum(["only_loops", "own_results_match"]).describe("Stable."),
	path: z.string().describe("The field that it is about."),
	message: z.string().describe("What will happen and what to write instead, for a person."),
});

export type Warning = z.output<typeof warningSchema>;

/** `endpointName`: of its target, without the version. A result without a type of its own is named after it. */
export function warningsOf(
	{ sourceId, types, filters, result }: Pick<Subscription, "sourceId" | "types" | "filters" | "result">,
	endpointName: string,
): Warning[] {
	if (result === null || result.allowCycles) return [];
	if (sourceId !== null && sourceId !== RESULTS_SOURCE_ID) return [];
	const own = result.type ?? `${endpointName}.completed`;
	const isOwn = (pattern: string): boolean => typeMatches(pattern, own);
	if (types.length > 0 && !types.some(isOwn)) return [];
	if (sourceId === RESULTS_SOURCE_ID && types.length > 0 && types.every((type) => type === own)) {
		const message = `it listens to results of type ${own} only, which is what its own results are called: unless another subscription publishes that type, nothing ever arrives, and what does arrive ends dead \`loop\` one step later. Name another type, or result.allow_cycles`;
		return [{ code: "only_loops", path: "types", message }];
	}
	// Filters may leave them out.
	if (filters.length > 0) return [];
	const message = `its own results (${own}) match it again, and each of them ends as a dead delivery \`loop\`. Name the source or the types that it is for, or result.allow_cycles`;
	return [{ code: "own_results_match", path: types.length > 0 ? "types" : "source", message }];
}
