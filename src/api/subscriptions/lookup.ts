/** Finds the subscription that a path or a field names. */
import type { Env } from "../../env.ts";
import { Problem } from "../../http/problem.ts";
import type { Subscription } from "../../store/records.ts";
import { findSubscription } from "../../store/resources/subscriptions.ts";

/** By id or name. Throws 404 `subscription_not_found`. */
export async function getSubscription(env: Env, ref: string): Promise<Subscription> {
	const subscription = await findSubscription(env, ref);
	if (subscription === null) throw subscriptionNotFound();
	return subscription;
}

export function subscriptionNotFound(): Problem {
	return new Problem(404, "subscription_not_found", "There is no subscription with this id or name.");
}
