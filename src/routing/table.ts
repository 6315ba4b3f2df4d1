/**
 * The routing table in memory: subscriptions indexed by source and type, endpoints by name. The cost of a lookup
 * depends only on the event's own candidates, not on the number of subscriptions to other types.
 */
import type { Env } from "../env.ts";
import {
	loadRoutingTable,
	readRoutingVersion,
	routingMaxAgeMs,
	type RoutedEndpoint,
	type RoutingRecords,
} from "../store/views/routing.ts";
import type { Subscription } from "../store/records.ts";

export interface RoutingTable {
	version: number;
	/** All subscriptions, including paused ones. */
	subscriptions: readonly Subscription[];
	/**
	 * Returns the active, readable subscriptions whose source and types match, without evaluating filters.
	 * `isOnlyForNamed`: those that name no source do not match.
	 */
	candidates(sourceId: string, type: string, isOnlyForNamed?: boolean): Subscription[];
	/** Returns the current endpoint of a subscription, or null if its name has no version left. */
	endpointOf(subscription: Subscription): RoutedEndpoint | null;
}

interface Current {
	db: D1Database;
	table: RoutingTable;
	/** When the read began that confirmed this table as current, ms since the epoch. */
	readAt: number;
}

let current: Current | null = null;

/**
 * Returns the table, which is at most `routingMaxAgeMs` old, counted from the start of the read. Within that time
 * nothing is read. Afterwards one row is read, and the rest only if the version has changed. `now` in ms. Throws if D1
 * fails.
 */
export async function currentTable(env: Env, now = Date.now()): Promise<RoutingTable> {
	const known = current?.db === env.DB ? current : null;
	// A clock that went backwards must not keep an old table alive.
	const age = known === null ? Number.POSITIVE_INFINITY : Math.abs(now - known.readAt);
	if (known !== null && age < routingMaxAgeMs(env)) return known.table;
	const version = await readRoutingVersion(env);
	const table =
		known?.table.version === version
			? known.table
			: buildTable(await loadRoutingTable(env, known?.table.subscriptions));
	// Another batch may have read a newer version in the meantime.
	if (current?.db !== env.DB || current.readAt < now) current = { db: env.DB, table, readAt: now };
	return table;
}

export function buildTable({ version, subscriptions, endpoints }: RoutingRecords): RoutingTable {
	const exact = new Map<string, Subscription[]>();
	const prefixes = new Map<string, Subscription[]>();
	for (const subscription of subscriptions) {
		if (subscription.status !== "active" || subscription.unreadable !== undefined) continue;
		const types = subscription.types.length === 0 ? ["*"] : subscription.types;
		for (const type of new Set(types)) {
			const index = type.endsWith("*") ? prefixes : exact;
			const key = keyOf(subscription.sourceId, type.endsWith("*") ? type.slice(0, -1) : type);
			const listed = index.get(key);
			if (listed === undefined) index.set(key, [subscription]);
			else listed.push(subscription);
		}
	}
	const prefixLengths = [...new Set(Array.from(prefixes.keys(), (key) => typeOf(key).length))];
	const byId = new Map(endpoints.map((endpoint) => [endpoint.id, endpoint]));
	const latest = latestByName(endpoints);
	return {
		version,
		subscriptions,
		candidates(sourceId, type, isOnlyForNamed = false) {
			const found = new Set<Subscription>();
			for (const source of isOnlyForNamed ? [sourceId] : [sourceId, null]) {
				for (const subscription of exact.get(keyOf(source, type)) ?? []) found.add(subscription);
				for (const length of prefixLengths) {
					if (length > type.length) continue;
					for (const subscription of prefixes.get(keyOf(source, type.slice(0, length))) ?? [])
						found.add(subscription);
				}
			}
			return [...found];
		},
		endpointOf({ target }) {
			return ("endpointId" in target ? byId.get(target.endpointId) : latest.get(target.latestOf)) ?? null;
		},
	};
}

/** Returns the newest active version of each name, or the newest of all if none is active, so that no event is lost. */
function latestByName(endpoints: readonly RoutedEndpoint[]): Map<string, RoutedEndpoint> {
	const latest = new Map<string, RoutedEndpoint>();
	for (const endpoint of endpoints) {
		const best = latest.get(endpoint.name);
		if (best === undefined || isNewer(endpoint, best)) latest.set(endpoint.name, endpoint);
	}
	return latest;
}

function isNewer(endpoint: RoutedEndpoint, than: RoutedEndpoint): boolean {
	const active = Number(endpoint.status === "active") - Number(than.status === "active");
	if (active !== 0) return active > 0;
	// As `findEndpoint` orders them.
	if (endpoint.createdAt !== than.createdAt) return endpoint.createdAt > than.createdAt;
	return endpoint.id > than.id;
}

// A source id contains no line break.
function keyOf(sourceId: string | null, type: string): string {
	return `${sourceId ?? ""}\n${type}`;
}

function typeOf(key: string): string {
	return key.slice(key.indexOf("\n") + 1);
}
