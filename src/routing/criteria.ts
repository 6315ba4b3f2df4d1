/**
 * What a subscription asks of an event, criterion by criterion: the same rules as in decide.ts, which stops at the first
 * that does not hold, and their words.
 */
import { typeMatches } from "../events/cloudevents/type-pattern.ts";
import type { SluiceEvent } from "../events/event.ts";
import { RESULTS_SOURCE_ID, SLUICE_SOURCE_ID } from "../events/ids.ts";
import { judgeFilter, type Filter, type FilterVerdict } from "../events/expressions/filters.ts";
import { findSetAside, type Owner } from "../events/expressions/quarantine.ts";
import type { Subscription } from "../store/records.ts";
import { subjectOf } from "./decide.ts";

export interface Criterion extends FilterVerdict {
	/** `status`, `source`, `types`, a path such as `filters.0`, or `filters` where one is set aside and none counts. */
	criterion: string;
	/** Where it is one. */
	filter?: Filter;
}

/** Work that the filters of one subscription may do together, in units: as much as the events of a source in a batch. */
const MAX_WORK = 50_000_000;

/** Names of sources by their ids; one that is deleted has none. */
export type SourceNames = ReadonlyMap<string, string>;

/**
 * Every criterion in order, whatever the others say; the event matches when all pass. Lazy: who only wants the first that
 * does not pass need not evaluate the rest.
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
		// Then none holds, whatever it stands in.
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
	if (unreadable !== undefined) return `its ${unreadable.join(", ")} cannot be read by this release`;
	if (status === "requested") return "the owner of its source has not granted it yet";
	if (status === "denied") return "the owner of its source has denied it";
	return status === "active" ? null : "the subscription is paused";
}

/** Says which source the subscription listens to and which one the event is of. */
export function whyNotSource(
	{ sourceId }: Subscription,
	event: SluiceEvent,
	names: SourceNames,
): string | null {
	if (sourceId === null && event.sourceId === SLUICE_SOURCE_ID) {
		return 'operational events come only to a subscription with "source": "sluice"';
	}
	if (sourceId === null || sourceId === event.sourceId) return null;
	const [wanted, actual] = [sourceId, event.sourceId].map((id) => names.get(id) ?? id);
	const said = `it listens to source ${wanted}, and this event is of source ${actual}`;
	// Who builds a chain tends to name the publisher that began it.
	return event.sourceId === RESULTS_SOURCE_ID
		? `${said}: outputs of models come to a subscription with "source": "results", or null for every source`
		: said;
}

export function whyNotType({ types }: Subscription, { attributes: { type } }: SluiceEvent): string | null {
	if (types.length === 0 || types.some((pattern) => typeMatches(pattern, type))) return null;
	return `type ${type} is none of: ${types.join(", ")}`;
}
