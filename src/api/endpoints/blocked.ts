/** Why nothing is sent to an endpoint now, as the API shows it. */
import { dispatcher } from "../../objects/clients.ts";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import type { Endpoint } from "../../store/records.ts";
import { statusOf } from "../fields/status.ts";
import { formatTime } from "../fields/times.ts";

/**
 * The members `blocked_by` and `blocked_until`; null if nothing blocks the endpoint, or if its
 * dispatcher cannot be reached.
 */
export async function blockedToWire(
	env: Env,
	endpoint: Endpoint,
): Promise<{ blocked_by: string | null; blocked_until: string | null }> {
	if (statusOf(endpoint).status !== "active") return { blocked_by: "paused", blocked_until: null };
	try {
		const { blockedBy, blockedUntil } = await dispatcher(env, endpoint.id).blocked();
		return { blocked_by: blockedBy, blocked_until: formatTime(blockedUntil) };
	} catch (error) {
		// An object that still runs release 0.1 has no such method.
		log("dispatcher.unreachable", { endpoint_id: endpoint.id, error: String(error) });
		return { blocked_by: null, blocked_until: null };
	}
}
