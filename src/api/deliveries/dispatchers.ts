/**
 * Notifies dispatchers of a change. D1 already has the change; a dispatcher that cannot be reached
 * does not undo it.
 */
import { dispatcher } from "../../objects/clients.ts";
import type { SettingsChange } from "../../delivery/records.ts";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { readEndpointIds } from "../../store/resources/endpoints.ts";
import type { Subscription } from "../../store/records.ts";

/** Makes the dispatchers read their endpoint and subscriptions again. */
export async function refreshDispatchers(
	env: Env,
	endpointIds: Iterable<string>,
	change: SettingsChange = { repaired: false },
): Promise<void> {
	await Promise.all([...new Set(endpointIds)].map((id) => tell(env, id, (stub) => stub.refresh(change))));
}

/**
 * The dispatcher stores the deletion, and ends the endpoint's pending deliveries. One of release
 * 0.1 can only read its settings again.
 */
export async function tellDeleted(env: Env, endpointId: string): Promise<void> {
	await tell(env, endpointId, (stub) => stub.markDeleted().catch(() => stub.refresh()));
}

/**
 * Tries twice, because the object may be restarting; after that it reads its settings again by
 * itself.
 */
async function tell(
	env: Env,
	endpointId: string,
	say: (stub: ReturnType<typeof dispatcher>) => Promise<void>,
): Promise<void> {
	try {
		await say(dispatcher(env, endpointId)).catch(() => say(dispatcher(env, endpointId)));
	} catch (error) {
		log("dispatcher.not_refreshed", { endpoint_id: endpointId, error: String(error) });
	}
}

/** The endpoints that a target stands for: one, or every version of a name. */
export async function endpointIdsOf(env: Env, target: Subscription["target"]): Promise<string[]> {
	return "endpointId" in target ? [target.endpointId] : readEndpointIds(env, target.latestOf);
}
