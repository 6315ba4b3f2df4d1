/**
 * What the router reads: the whole routing table in one transaction, and the version that tells whether a
 * table in memory is still the current one. Opens no secrets.
 */
import type { Env } from "../env.ts";
import { endpointStatusFromColumn } from "./endpoints.ts";
import type { Endpoint, Subscription } from "./records.ts";
import { withSchema } from "./schema.ts";
import { type SubscriptionRow, subscriptionsFromRows } from "./subscriptions.ts";

export type RoutedEndpoint = Pick<Endpoint, "id" | "name" | "version" | "status" | "createdAt">;

export interface RoutingRecords {
	version: number;
	endpoints: RoutedEndpoint[];
	subscriptions: Subscription[];
}

type RoutedRow = Omit<RoutedEndpoint, "status"> & { status: string };

const SELECT_VERSION = "SELECT value AS version FROM meta WHERE key = 'routing_version'";

/** `known`: subscriptions as they were read before; those that have not changed are not read anew. */
export async function loadRoutingTable(
	env: Env,
	known: readonly Subscription[] = [],
): Promise<RoutingRecords> {
	const [version, endpoints, subscriptions] = await withSchema(env, (db) =>
		db.batch([
			db.prepare(SELECT_VERSION),
			db.prepare("SELECT id, name, version, status, created_at AS createdAt FROM endpoints"),
			db.prepare("SELECT * FROM subscriptions"),
		]),
	);
	const [row] = (version?.results ?? []) as { version: number }[];
	return {
		version: row?.version ?? 0,
		endpoints: ((endpoints?.results ?? []) as RoutedRow[]).map(({ status, ...endpoint }) => ({
			...endpoint,
			status: endpointStatusFromColumn(status),
		})),
		subscriptions: subscriptionsFromRows((subscriptions?.results ?? []) as SubscriptionRow[], known),
	};
}

/**
 * How old a reading of the version may be while it still serves, ms: D1 is then read a few times a second and not for
 * every batch. The price is that a change must be given that long before its response (api/http/routed.ts).
 */
export function routingMaxAgeMs({ ROUTING_MAX_AGE_MS }: Pick<Env, "ROUTING_MAX_AGE_MS">): number {
	const ms = Number(ROUTING_MAX_AGE_MS ?? DEFAULT_MAX_AGE_MS);
	return ms >= 0 && ms <= LONGEST_MAX_AGE_MS ? ms : DEFAULT_MAX_AGE_MS;
}

const DEFAULT_MAX_AGE_MS = 250;
const LONGEST_MAX_AGE_MS = 10_000;

/** Moves with every change of a source, an endpoint or a subscription; reads one row. */
export async function readRoutingVersion(env: Env): Promise<number> {
	const row = await withSchema(env, (db) => db.prepare(SELECT_VERSION).first<{ version: number }>());
	return row?.version ?? 0;
}
