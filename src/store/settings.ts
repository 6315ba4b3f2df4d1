/** What a dispatcher reads: its endpoint with secrets opened, and the subscriptions whose deliveries it may hold. */
import type { Env } from "../env.ts";
import { announcingFrom, SELECT_ANNOUNCING } from "./announcing.ts";
import { isDeleted } from "./deleted.ts";
import { type EndpointRow, endpointFromRow } from "./endpoints.ts";
import { SELECT_OWN_HOSTS } from "./own-hosts.ts";
import { type Endpoint, type ReadableEndpoint, type Subscription, isReadable } from "./records.ts";
import { withSchema } from "./schema.ts";
import { type SubscriptionRow, findSubscription, subscriptionFromRow } from "./subscriptions.ts";

export interface EndpointSettings {
	endpoint: Endpoint;
	/** By id: those that target this endpoint, and those that target the latest of its name. */
	subscriptions: Map<string, Subscription>;
	/** Subscriptions that were looked up while these settings are in force (`subscriptionOf`). */
	others: Map<string, Subscription | "deleted" | "missing">;
	/** Names under which the router has been called. */
	ownHosts: string[];
	/** Whether anybody asks for operational events. */
	isAnnouncing: boolean;
}

/**
 * deleted: somebody has deleted the endpoint. missing: nobody has, and its row is not there; the database is empty,
 * another one, or as it was at an earlier time.
 */
export type Settings = EndpointSettings | "deleted" | "missing";

/** Settings by which deliveries can be sent: the endpoint is active, and all its secrets can be read. */
export type SendingSettings = EndpointSettings & { endpoint: ReadableEndpoint };

export function isSending(settings: Settings): settings is SendingSettings {
	return (
		typeof settings === "object" && settings.endpoint.status === "active" && isReadable(settings.endpoint)
	);
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
 * The subscription of a delivery. One that targets another endpoint by now still owes what was decided before; it is
 * looked up once as long as the settings hold, however many deliveries there are.
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

/** One that another release stored in a form of its own is as good as missing: its deliveries wait. */
function readable(subscription: Subscription): Subscription | "missing" {
	return subscription.unreadable === undefined ? subscription : "missing";
}
