/** Changes a record as it stands now, as the API does, whatever has been changed before. */
import { env } from "cloudflare:workers";
import { findSource, updateSource } from "../../src/store/resources/sources.ts";
import type { SourceChanges } from "../../src/store/resources/source-row.ts";
import {
	findSubscription,
	updateSubscription,
	type SubscriptionChanges,
} from "../../src/store/resources/subscriptions.ts";

export async function changeSource(id: string, changes: SourceChanges): Promise<void> {
	const source = await findSource(env, id);
	if (source === null) throw new Error(`there is no source ${id}`);
	await updateSource(env, source, changes);
}

export async function changeSubscription(id: string, changes: SubscriptionChanges): Promise<void> {
	const subscription = await findSubscription(env, id);
	if (subscription === null) throw new Error(`there is no subscription ${id}`);
	await updateSubscription(env, subscription, changes);
}
