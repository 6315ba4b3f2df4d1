/**
 * Evaluates a subscription's criteria for an event one by one, with an explanation for each. The rules are those of
 * decide.ts, which stops at the first criterion that fails.
 */
import { typeMatches } from "../events/cloudevents/type-pattern.ts";
import type { SluiceEvent } from "../events/event.ts";
import { RESULTS_SOURCE_ID, SLUICE_SOURCE_ID } from "../events/ids.ts";
import { isOnlyForNamed } from "../events/test-mark.ts";
import { judgeFilter, type Filter, type FilterVerdict } from "../events/expressions/filters.ts";
import { findSetAside, type Owner } from "../events/expressions/quarantine.ts";
import type { Subscription } from "../store/records.ts";
import { subjectOf } from "./decide.ts";

export interface Criterion extends FilterVerdict {
	/**
	 * `status`, `source`, `types`, a path such as `filters.0`, or `filters` if one is set aside and all are skipped.
	 */
	criterion: string;
	/** Set if the criterion is a filter. */
	filter?: Filter;
}

/** The work limit for all filters of one subscription, in units: the same as for a source's events in a batch. */
const MAX_WORK = 50_000_000;

/** Source names by id. Deleted sources are missing. */
export type SourceNames = ReadonlyMap<string, string>;

/**
 * Yields every criterion in order, including those after a failure. The event matches if all pass. Lazy: a caller that
 * only needs the first failure does not evaluate the rest.
 */
export async function* criteriaOf(
	event: SluiceEvent,
	subscription: Subscription & Pick<Owner, "isPreview">,
	names: SourceNames,
): AsyncGenerator<Criterion, void, void> {
	let work = 0;
	const subject = {
		...subjectOf(event),
		tell: (units: number) => void (work += units),
		isSpent: () => work > MAX_WORK,
	};
	yield plain("status", whyNotActive(subscription));
	yield plain("source", whyNotSource(subscription, event, names));
	yield plain("types", whyNotType(subscription, event));
	const known = findSetAside(subscription, "filters.");
	if (known !== null) {
		// If an expression is set aside, no filter counts.
		const reason = `${known.field} is set aside: ${known.reason}`;
		yield { criterion: "filters", verdict: "error", reason };
	}
	for (const [index, filter] of subscription.filters.entries()) {
		const verdict = await judgeFilter(subscription, index, subject);
		yield { criterion: `filters.${index}`, filter, ...verdict };
	}
}

function plain(criterion: string, reason: string | null): Criterion {
	return { criterion, verdict: reason === null ? "pass" : "fail", reason };
}

export function whyNotActive({ status, unreadable }: Subscription): string | null {
	if (unreadable !== undefined) return `this release cannot read its ${unreadable.join(", ")}`;
	if (status === "requested") return "the owner of its source has not approved it yet";
	if (status === "denied") return "the owner of its source has denied it";
	return status === "active" ? null : "the subscription is paused";
}

/** Names the source of the subscription and the source of the event. */
export function whyNotSource(
	{ sourceId }: Subscription,
	event: SluiceEvent,
	names: SourceNames,
): string | null {
	if (sourceId === null && event.sourceId === SLUICE_SOURCE_ID) {
		return 'only a subscription with "source": "sluice" receives operational events';
	}
	if (sourceId === null && isOnlyForNamed(event.attributes)) {
		return "only a subscription that names the source receives events of a test source";
	}
	if (sourceId === null || sourceId === event.sourceId) return null;
	const [wanted, actual] = [sourceId, event.sourceId].map((id) => names.get(id) ?? id);
	const said = `it listens to source ${wanted}, but this event is from source ${actual}`;
	// A common mistake in a chain is to name the original publisher's source.
	return event.sourceId === RESULTS_SOURCE_ID
		? `${said}: to receive model outputs, a subscription needs "source": "results", or null for every source`
		: said;
}

export function whyNotType({ types }: Subscription, { attributes: { type } }: SluiceEvent): string | null {
	if (types.length === 0 || types.some((pattern) => typeMatches(pattern, type))) return null;
	return `type ${type} matches none of: ${types.join(", ")}`;
}
