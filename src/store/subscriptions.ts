/** Subscriptions in D1: rows to records and back, and the queries on them. They hold no secrets. */
import * as z from "zod";
import type { Env } from "../env.ts";
import { storedFilterSchema } from "../events/expressions/filters.ts";
import { readColumn } from "./columns.ts";
import { quarantineFromColumn, quarantineToColumn } from "./quarantine.ts";
import type { ResultPolicy, Subscription, SubscriptionColumn, SubscriptionStatus } from "./records.ts";
import { rememberDeletion } from "./deleted.ts";
import {
	type Insert,
	type ListQuery,
	type ReadAs,
	type Row,
	type Update,
	bumpRoutingVersion,
	insertRow,
	listRows,
	revisionOf,
	updateRow,
} from "./rows.ts";
import { withSchema } from "./schema.ts";

/** What may change in the life of a subscription. */
export type SubscriptionChanges = Partial<Omit<Subscription, keyof ReadAs | "createdAt" | "unreadable">>;

export interface SubscriptionRow extends Row {
	id: string;
	name: string;
	source_id: string | null;
	types: string;
	filters: string;
	endpoint_id: string | null;
	latest_of: string | null;
	transform: string | null;
	result: string | null;
	/** 1 or 0, as release 0.1 knows it: active or not. */
	enabled: number;
	/** Why it is not, where no person paused it. Undefined before the schema step that adds it. */
	request_state?: string | null;
	revision?: number;
	/** Undefined before the schema step that adds it. */
	quarantine?: string | null;
	created_at: number;
	updated_at: number;
}

/** By `sub_…` or by name; a name never begins with `sub_`. */
export async function findSubscription(env: Env, ref: string): Promise<Subscription | null> {
	const row = await withSchema(env, (db) =>
		db.prepare("SELECT * FROM subscriptions WHERE id = ?1 OR name = ?1").bind(ref).first<SubscriptionRow>(),
	);
	return row === null ? null : subscriptionFromRow(row);
}

export async function listSubscriptions(env: Env, query: ListQuery): Promise<Subscription[]> {
	const rows = await listRows<SubscriptionRow>(env, "subscriptions", query);
	return rows.map(subscriptionFromRow);
}

/** Not when its source or endpoint has been deleted: none is ever left behind that names nothing. */
export async function insertSubscription(env: Env, subscription: Subscription): Promise<Insert> {
	const { id, createdAt, updatedAt, unreadable: _, ...fields } = subscription;
	const row = { id, ...toColumns(fields), created_at: createdAt, updated_at: updatedAt };
	return insertRow(env, "subscriptions", row, namesIn(fields));
}

export async function updateSubscription(
	env: Env,
	former: ReadAs,
	changes: SubscriptionChanges,
): Promise<Update<Subscription>> {
	const columns = toColumns(changes);
	const update = await updateRow<SubscriptionRow>(env, "subscriptions", former, columns, namesIn(changes));
	return update.outcome === "updated" ? { ...update, record: subscriptionFromRow(update.record) } : update;
}

export async function deleteSubscription(env: Env, id: string): Promise<void> {
	await withSchema(env, (db) =>
		db.batch([
			...rememberDeletion(db, id),
			db.prepare("DELETE FROM subscriptions WHERE id = ?").bind(id),
			bumpRoutingVersion(db),
		]),
	);
}

/** The ids that these fields name. */
function namesIn({ sourceId, target }: SubscriptionChanges): string[] {
	const endpointId = target !== undefined && "endpointId" in target ? target.endpointId : null;
	return [sourceId, endpointId].filter((id) => typeof id === "string");
}

/** The columns of the fields that are there. */
function toColumns(changes: SubscriptionChanges): Row {
	const { sourceId, types, filters, target, result, status, quarantine, ...same } = changes;
	return {
		...same,
		...(sourceId !== undefined && { source_id: sourceId }),
		...(types !== undefined && { types: JSON.stringify(types) }),
		...(filters !== undefined && { filters: JSON.stringify(filters) }),
		...(target !== undefined && {
			endpoint_id: "endpointId" in target ? target.endpointId : null,
			latest_of: "latestOf" in target ? target.latestOf : null,
		}),
		...(result !== undefined && { result: result && JSON.stringify(result) }),
		...(status !== undefined && statusToColumns(status)),
		...(quarantine !== undefined && { quarantine: quarantineToColumn(quarantine) }),
	};
}

export function subscriptionFromRow(row: SubscriptionRow): Subscription {
	const types = row.types === NONE ? [] : readColumn(typesSchema, row.types);
	const filters = row.filters === NONE ? [] : readColumn(filtersSchema, row.filters);
	const result = row.result === null ? null : readColumn(resultSchema, row.result);
	const unreadable: SubscriptionColumn[] = [
		...(types === null ? (["types"] as const) : []),
		...(filters === null ? (["filters"] as const) : []),
		...(row.result !== null && result === null ? (["result"] as const) : []),
	];
	return {
		id: row.id,
		name: row.name,
		sourceId: row.source_id,
		types: types ?? [],
		filters: filters ?? [],
		target: row.endpoint_id === null ? { latestOf: row.latest_of ?? "" } : { endpointId: row.endpoint_id },
		transform: row.transform,
		result,
		status: statusFromColumns(row),
		revision: revisionOf(row),
		quarantine: quarantineFromColumn(row.quarantine ?? null),
		...(unreadable.length > 0 && { unreadable }),
		createdAt: row.created_at,
		updatedAt: row.updated_at,
	};
}

function statusToColumns(status: SubscriptionStatus): Row {
	const isAsked = status === "requested" || status === "denied";
	return { enabled: status === "active" ? 1 : 0, request_state: isAsked ? status : null };
}

/** A state that only a newer release knows is one that cannot be resumed. */
function statusFromColumns({ enabled, request_state: state }: SubscriptionRow): SubscriptionStatus {
	if (enabled === 1) return "active";
	if (state === null || state === undefined) return "paused";
	return state === "denied" ? "denied" : "requested";
}

/** An empty list, as nearly all filters are; it needs no reading. */
const NONE = "[]";

const typesSchema = z.array(z.string());
const filtersSchema = z.array(storedFilterSchema);
const resultSchema: z.ZodType<ResultPolicy> = z.object({
	type: z.string().nullable(),
	transform: z.string().nullable(),
	maxHops: z.number(),
	allowCycles: z.boolean(),
});

/**
 * Records of all rows. Those of `known` whose rows have not changed since serve again, so that a change of one among
 * thousands reads the columns of that one only.
 */
export function subscriptionsFromRows(
	rows: readonly SubscriptionRow[],
	known: readonly Subscription[],
): Subscription[] {
	const byId = new Map(known.map((subscription) => [subscription.id, subscription]));
	return rows.map((row) => {
		const former = byId.get(row.id);
		// A Worker of release 0.1, which runs beside this one during a deploy, moves updated_at and not the revision.
		const isSame = former?.revision === revisionOf(row) && former.updatedAt === row.updated_at;
		return isSame ? former : subscriptionFromRow(row);
	});
}
