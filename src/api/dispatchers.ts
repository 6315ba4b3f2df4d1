/** Tells dispatchers of a change. D1 has the change already; a dispatcher that does not hear cannot undo it. */
import { dispatcher } from "../delivery/client.ts";
import type { SettingsChange } from "../delivery/records.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { readEndpointIds } from "../store/endpoints.ts";
import type { Subscription } from "../store/records.ts";

/** Makes the dispatchers read their endpoint and subscriptions anew. */
export async function refreshDispatchers(
	env: Env,
	endpointIds: Iterable<string>,
	change: SettingsChange = { repaired: false },
): Promise<void> {
	await Promise.all([...new Set(endpointIds)].map((id) => refresh(env, id, change)));
}

/** Asks twice, because the object may be just restarting; after that it reads its settings anew by itself. */
async function refresh(env: Env, endpointId: string, change: SettingsChange): Promise<void> {
	try {
		await dispatcher(env, endpointId)
			.refresh(change)
			.catch(() => dispatcher(env, endpointId).refresh(change));
	} catch (error) {
		log("dispatcher.not_refreshed", { endpoint: endpointId, error: String(error) });
	}
}

/** The endpoints a target may stand for: one, or every version of a name. */
export async function endpointIdsOf(env: Env, target: Subscription["target"]): Promise<string[]> {
	return "endpointId" in target ? [target.endpointId] : readEndpointIds(env, target.latestOf);
}
