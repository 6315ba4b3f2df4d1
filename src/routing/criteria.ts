/**
 * What a subscription asks of an event, criterion by criterion: the same rules as in decide.ts, which stops at the first
 * that does not hold, and their words.
 */
import { typeMatches } from "../events/cloudevents/type-pattern.ts";
import type { SluiceEvent } from "../events/event.ts";
import { SLUICE_SOURCE_ID } from "../events/ids.ts";
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

/** Every criterion, whatever the others say; the event matches when all pass. */
export async function judgeAll(
	event: SluiceEvent,
	subscription: Subscription & Pick<Owner, "isPreview">,
): Promise<Criterion[]> {
	let work = 0;
	const subject = {
		...subjectOf(event),
		tell: (units: number) => void (work += units),
		isSpent: () => work > MAX_WORK,
	};
	const criteria = [
		plain("status", whyNotActive(subscription)),
		plain("source", whyNotSource(subscription, event)),
		plain("types", whyNotType(subscription, event)),
	];
	const known = findSetAside(subscription, "filters.");
	if (known !== null) {
		// Then none holds, whatever it stands in.
		const reason = `${known.field} is set aside: ${known.reason}`;
		criteria.push({ criterion: "filters", verdict: "error", reason });
	}
	for (const [index, filter] of subscription.filters.entries()) {
		const verdict = await judgeFilter(subscription, index, subject);
		criteria.push({ criterion: `filters.${index}`, filter, ...verdict });
	}
	return criteria;
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

export function whyNotSource({ sourceId }: Subscription, event: SluiceEvent): string | null {
	if (sourceId === null && event.sourceId === SLUICE_SOURCE_ID) return "it does not name the source sluice";
	return sourceId === null || sourceId === event.sourceId ? null : "it listens to another source";
}

export function whyNotType({ types }: Subscription, { attributes: { type } }: SluiceEvent): string | null {
	if (types.length === 0 || types.some((pattern) => typeMatches(pattern, type))) return null;
	return `type ${type} is none of: ${types.join(", ")}`;
}
