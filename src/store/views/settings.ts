/**
 * The settings of a dispatcher: its endpoint with decrypted secrets, and the subscriptions whose deliveries it may
 * hold.
 */
import type { Env } from "../../env.ts";
import { announcingFrom, SELECT_ANNOUNCING } from "./announcing.ts";
import { isDeleted } from "../deleted.ts";
import { type EndpointRow, endpointFromRow } from "../resources/endpoint-row.ts";
import { SELECT_OWN_HOSTS } from "../own-hosts.ts";
import { type Endpoint, type ReadableEndpoint, type Subscription, isReadable } from "../records.ts";
import { withSchema } from "../schema.ts";
import { type SubscriptionRow, findSubscription, subscriptionFromRow } from "../resources/subscriptions.ts";

export interface EndpointSettings {
	endpoint: Endpoint;
	/** By id: subscriptions that target this endpoint, or the latest version of its name. */
	subscriptions: Map<string, Subscription>;
	/** Other subscriptions, looked up while these settings are valid (`subscriptionOf`). */
	others: Map<string, Subscription | "deleted" | "missing">;
	/** Host names that requests to the router have used. */
	ownHosts: string[];
	/** Whether any subscription receives operational events. */
	isAnnouncing: boolean;
}

/**
 * deleted: the endpoint was deleted. missing: its row does not exist, but it was not deleted; the database is empty, a
 * different one, or restored to an earlier time.
 */
export type Settings = EndpointSettings | "deleted" | "missing";

/** Settings of an endpoint whose secrets are all readable. */
export type SendingSettings = EndpointSettings & { endpoint: ReadableEndpoint };

/** Whether deliveries can be sent by these settings: the endpoint is active, and all its secrets are readable. */
export function isSending(settings: Settings): settings is SendingSettings {
	return (
		typeof settings === "object" && settings.endpoint.status === "active" && isReadable(settings.endpoint)
	);
}

/** Whether the endpoint's server can be called by these settings, whether or not the endpoint is active. */
export function isReachable(settings: Settings | undefined): settings is SendingSettings {
	return typeof settings === "object" && isReadable(settings.endpoint);
}

export async function loadSettings(env: Env, endpointId: string): Promise<Settings> {
	const [endpoints, subscriptions, hosts, announcing] = await withSchema(env, (db) =>
		db.batch([
			db.prepare("SELECT * FROM endpoints WHERE id = ?").bind(endpointId),
			db
				.prepare(
					`SELECT * FROM subscriptions
					WHERE endpoint_id = ?1 OR latest_of = (SELECT name FROM endpoints WHERE id = ?1)`,
				)
				.bind(endpointId),
			db.prepare(SELECT_OWN_HOSTS),
			db.prepare(SELECT_ANNOUNCING),
		]),
	);
	const row = endpoints?.results[0] as EndpointRow | undefined;
	if (row === undefined) return (await isDeleted(env, endpointId)) ? "deleted" : "missing";
	const rows = (subscriptions?.results ?? []) as SubscriptionRow[];
	return {
		endpoint: await endpointFromRow(env, row),
		subscriptions: new Map(rows.map((found) => [found.id, subscriptionFromRow(found)])),
		others: new Map(),
		ownHosts: ((hosts?.results ?? []) as { host: string }[]).map(({ host }) => host),
		isAnnouncing: announcingFrom(announcing?.results),
	};
}

/**
 * Returns the subscription of a delivery. A subscription that now targets another endpoint still has deliveries here;
 * it is looked up once while the settings are valid.
 */
export async function subscriptionOf(
	env: Env,
	{ subscriptions, others }: EndpointSettings,
	id: string,
): Promise<Subscription | "deleted" | "missing"> {
	const known = subscriptions.get(id) ?? others.get(id);
	if (known !== undefined) return typeof known === "object" ? readable(known) : known;
	const found = (await findSubscription(env, id)) ?? ((await isDeleted(env, id)) ? "deleted" : "missing");
	others.set(id, found);
	return typeof found === "object" ? readable(found) : found;
}

/** A subscription that this release cannot read counts as missing: its deliveries wait. */
function readable(subscription: Subscription): Subscription | "missing" {
	return subscription.unreadable === undefined ? subscription : "missing";
}
