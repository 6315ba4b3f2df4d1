/** What becomes of the entries of a document, and how a plan is told. Shapes, and no decision. */
import type { EndpointChanges } from "../../store/endpoints.ts";
import type {
	Endpoint,
	ReadableEndpoint,
	ReadableSource,
	Source,
	Subscription,
} from "../../store/records.ts";
import type { SourceChanges } from "../../store/sources.ts";
import type { SubscriptionChanges } from "../../store/subscriptions.ts";

/** `New` is what can be made, `T` what may be stored already, `C` what may change of it. */
export interface PlannedList<T, New extends T, C> {
	created: New[];
	changed: { former: T; record: T; changes: C; fields: string[] }[];
	deleted: T[];
	/** Named by the document, and as it says. */
	unchanged: T[];
	/** Not named, and left alone. */
	kept: T[];
}

export interface Plan {
	sources: PlannedList<Source, ReadableSource, SourceChanges>;
	endpoints: PlannedList<Endpoint, ReadableEndpoint, EndpointChanges>;
	subscriptions: PlannedList<Subscription, Subscription, SubscriptionChanges>;
	/** Secrets that were made, which are shown once, by their keys. */
	made: Record<string, string>;
}

export function emptyList<T, New extends T, C>(): PlannedList<T, New, C> {
	return { created: [], changed: [], deleted: [], unchanged: [], kept: [] };
}

/** What there is when the plan has been carried out. */
export function outcomeOf<T, New extends T, C>({
	created,
	changed,
	unchanged,
	kept,
}: PlannedList<T, New, C>): T[] {
	return [...kept, ...unchanged, ...changed.map(({ record }) => record), ...created];
}

export function changesNothing({ sources, endpoints, subscriptions }: Plan): boolean {
	return [sources, endpoints, subscriptions].every(
		({ created, changed, deleted }) => created.length + changed.length + deleted.length === 0,
	);
}

interface Told {
	resource: "source" | "endpoint" | "subscription";
	name: string;
}

export interface PlanWire {
	created: Told[];
	changed: (Told & { fields: string[] })[];
	deleted: Told[];
	unchanged: Told[];
}

/** In the order of the document: sources, endpoints, subscriptions. Paths of fields, and no values. */
export function planToWire({ sources, endpoints, subscriptions }: Plan): PlanWire {
	const tellers = [
		tellList("source", sources, ({ name }) => name),
		tellList("endpoint", endpoints, ({ name, version }) => `${name}@${version}`),
		tellList("subscription", subscriptions, ({ name }) => name),
	];
	return {
		created: tellers.flatMap(({ created }) => created),
		changed: tellers.flatMap(({ changed }) => changed),
		deleted: tellers.flatMap(({ deleted }) => deleted),
		unchanged: tellers.flatMap(({ unchanged }) => unchanged),
	};
}

function tellList<T, New extends T, C>(
	resource: Told["resource"],
	{ created, changed, deleted, unchanged }: PlannedList<T, New, C>,
	nameOf: (record: T) => string,
): PlanWire {
	const tell = (record: T): Told => ({ resource, name: nameOf(record) });
	return {
		created: created.map(tell),
		changed: changed.map(({ record, fields }) => ({ ...tell(record), fields })),
		deleted: deleted.map(tell),
		unchanged: unchanged.map(tell),
	};
}
