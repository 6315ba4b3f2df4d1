/**
 * The router's queries: the whole routing table in one transaction, and the version that shows whether a table in
 * memory is current. Decrypts no secrets.
 */
import type { Env } from "../../env.ts";
import { endpointStatusFromColumn } from "../resources/endpoint-row.ts";
import type { Endpoint, Subscription } from "../records.ts";
import { withSchema } from "../schema.ts";
import { type SubscriptionRow, subscriptionsFromRows } from "../resources/subscriptions.ts";

export type RoutedEndpoint = Pick<Endpoint, "id" | "name" | "version" | "status" | "createdAt">;

export interface RoutingRecords {
	version: number;
	endpoints: RoutedEndpoint[];
	subscriptions: Subscription[];
}

type RoutedRow = Omit<RoutedEndpoint, "status"> & { status: string };

const SELECT_VERSION = "SELECT value AS version FROM meta WHERE key = 'routing_version'";

/** Loads the table. `known`: subscriptions read before; unchanged ones are reused. Throws if D1 fails. */
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
 * How long a read of the version may be reused, ms, so that D1 is read a few times a second instead of for every batch.
 * In return, the API delays the response to a change by that time (api/http/routed.ts).
 */
export function routingMaxAgeMs({ ROUTING_MAX_AGE_MS }: Pick<Env, "ROUTING_MAX_AGE_MS">): number {
	const ms = Number(ROUTING_MAX_AGE_MS ?? DEFAULT_MAX_AGE_MS);
	return ms >= 0 && ms <= LONGEST_MAX_AGE_MS ? ms : DEFAULT_MAX_AGE_MS;
}

const DEFAULT_MAX_AGE_MS = 250;
const LONGEST_MAX_AGE_MS = 10_000;

/** Returns the version, which increases with every change of a source, endpoint or subscription. Reads one row. */
export async function readRoutingVersion(env: Env): Promise<number> {
	const row = await withSchema(env, (db) => db.prepare(SELECT_VERSION).first<{ version: number }>());
	return row?.version ?? 0;
}
