/** Subscriptions in D1: conversion between rows and records, and queries. They contain no secrets. */
import * as z from "zod";
import type { Env } from "../../env.ts";
import { storedFilterSchema } from "../../events/expressions/filters.ts";
import { readColumn } from "../columns.ts";
import { quarantineFromColumn, quarantineToColumn } from "../quarantines/quarantine.ts";
import type { ResultPolicy, Subscription, SubscriptionColumn, SubscriptionStatus } from "../records.ts";
import { rememberDeletion } from "../deleted.ts";
import {
	type Deletion,
	type Insert,
	type ListQuery,
	type ReadAs,
	type Row,
	type Update,
	bumpRoutingVersion,
	hasChanged,
	insertRow,
	listRows,
	revisionOf,
	updateRow,
} from "../rows.ts";
import { withSchema } from "../schema.ts";

/** The fields of a subscription that can change. */
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
	/** 1 or 0: active or not, as in release 0.1. */
	enabled: number;
	/** Why it is not active, unless a person paused it. Undefined before the schema step that adds it. */
	request_state?: string | null;
	revision?: number;
	/** Undefined before the schema step that adds it. */
	quarantine?: string | null;
	created_at: number;
	updated_at: number;
}

/** Finds a subscription by `sub_…` or by name. A name never begins with `sub_`. */
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

/** Inserts a subscription, unless its source or endpoint was deleted, so that no reference dangles. */
export async function insertSubscription(env: Env, subscription: Subscription): Promise<Insert> {
	return insertRow(env, "subscriptions", subscriptionToRow(subscription), namesIn(subscription));
}

export function subscriptionToRow(subscription: Subscription): Row {
	const { id, createdAt, updatedAt, unreadable: _, ...fields } = subscription;
	return { id, ...subscriptionToColumns(fields), created_at: createdAt, updated_at: updatedAt };
}

export async function updateSubscription(
	env: Env,
	former: ReadAs,
	changes: SubscriptionChanges,
): Promise<Update<Subscription>> {
	const columns = subscriptionToColumns(changes);
	const update = await updateRow<SubscriptionRow>(env, "subscriptions", former, columns, namesIn(changes));
	return update.outcome === "updated" ? { ...update, record: subscriptionFromRow(update.record) } : update;
}

/** Deletes a subscription unless it has changed since it was read. */
export async function deleteSubscription(
	env: Env,
	id: string,
	asRead: ReadAs | null = null,
): Promise<Deletion> {
	const changed = hasChanged("subscriptions", asRead);
	const [found] = await withSchema(env, (db) =>
		db.batch([
			db.prepare(`SELECT 1 WHERE ${changed}`).bind(...(changed === "FALSE" ? [] : [id])),
			...rememberDeletion(db, id, changed),
			db.prepare(`DELETE FROM subscriptions WHERE id = ?1 AND NOT ${changed}`).bind(id),
			bumpRoutingVersion(db),
		]),
	);
	return { usedBy: [], isChanged: (found?.results.length ?? 0) > 0 };
}

/** Returns the ids that these fields reference. */
function namesIn({ sourceId, target }: SubscriptionChanges): string[] {
	const endpointId = target !== undefined && "endpointId" in target ? target.endpointId : null;
	return [sourceId, endpointId].filter((id) => typeof id === "string");
}

/** Returns the columns of the given fields. */
export function subscriptionToColumns(changes: SubscriptionChanges): Row {
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

/** A state that only a newer release knows counts as one that cannot be resumed. */
function statusFromColumns({ enabled, request_state: state }: SubscriptionRow): SubscriptionStatus {
	if (enabled === 1) return "active";
	if (state === null || state === undefined) return "paused";
	return state === "denied" ? "denied" : "requested";
}

/** An empty list, the value of nearly all filters. It needs no parsing. */
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
 * Returns the records of all rows. Reuses records of `known` whose rows are unchanged, so that a change of one among
 * thousands parses only that row.
 */
export function subscriptionsFromRows(
	rows: readonly SubscriptionRow[],
	known: readonly Subscription[],
): Subscription[] {
	const byId = new Map(known.map((subscription) => [subscription.id, subscription]));
	return rows.map((row) => {
		const former = byId.get(row.id);
		// During a deploy, a Worker of release 0.1 may still run, which updates updated_at but not the revision.
		const isSame = former?.revision === revisionOf(row) && former.updatedAt === row.updated_at;
		return isSame ? former : subscriptionFromRow(row);
	});
}
