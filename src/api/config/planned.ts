/**
 * The planned outcome of each entry of a document, and the plan on the wire. Shapes and no
 * decisions.
 */
import type { EndpointChanges } from "../../store/resources/endpoint-row.ts";
import type {
	Endpoint,
	ReadableEndpoint,
	ReadableSource,
	Source,
	Subscription,
} from "../../store/records.ts";
import type { SourceChanges } from "../../store/resources/source-row.ts";
import type { SubscriptionChanges } from "../../store/resources/subscriptions.ts";

/** `New` can be created, `T` may already be stored, `C` are the possible changes to it. */
export interface PlannedList<T, New extends T, C> {
	created: New[];
	changed: { former: T; record: T; changes: C; fields: string[] }[];
	deleted: T[];
	/** In the document, and already the same. */
	unchanged: T[];
	/** Not in the document, and left unchanged. */
	kept: T[];
}

export interface Plan {
	sources: PlannedList<Source, ReadableSource, SourceChanges>;
	endpoints: PlannedList<Endpoint, ReadableEndpoint, EndpointChanges>;
	subscriptions: PlannedList<Subscription, Subscription, SubscriptionChanges>;
	/** Generated secrets, which are shown once, by their keys. */
	made: Record<string, string>;
}

export function emptyList<T, New extends T, C>(): PlannedList<T, New, C> {
	return { created: [], changed: [], deleted: [], unchanged: [], kept: [] };
}

/** What exists after the plan has been applied. */
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

/**
 * In the order of the document: sources, endpoints, subscriptions. Paths of fields, and no values.
 */
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
