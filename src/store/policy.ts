/** What a dispatcher reads: its endpoint with secrets opened, and the subscriptions whose deliveries it may hold. */
import type { Env } from "../env.ts";
import { type EndpointRow, endpointFromRow } from "./endpoints.ts";
import type { Endpoint, Subscription } from "./records.ts";
import { withSchema } from "./schema.ts";
import { type SubscriptionRow, subscriptionFromRow } from "./subscriptions.ts";

export interface DeliveryPolicy {
	endpoint: Endpoint;
	/** By id: those that target this endpoint, and those that target the latest of its name. */
	subscriptions: Map<string, Subscription>;
}

/** One transaction. null when the endpoint has been deleted. */
export async function loadPolicy(env: Env, endpointId: string): Promise<DeliveryPolicy | null> {
	const [endpoints, subscriptions] = await withSchema(env, (db) =>
		db.batch([
			db.prepare("SELECT * FROM endpoints WHERE id = ?").bind(endpointId),
			db
				.prepare(
					`SELECT * FROM subscriptions
					WHERE endpoint_id = ?1 OR latest_of = (SELECT name FROM endpoints WHERE id = ?1)`,
				)
				.bind(endpointId),
		]),
	);
	const row = endpoints?.results[0] as EndpointRow | undefined;
	if (row === undefined) return null;
	const rows = (subscriptions?.results ?? []) as SubscriptionRow[];
	return {
		endpoint: await endpointFromRow(env, row),
		subscriptions: new Map(rows.map((found) => [found.id, subscriptionFromRow(found)])),
	};
}
