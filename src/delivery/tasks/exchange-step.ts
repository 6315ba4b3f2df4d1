/** One exchange about the job of a delivery; it carries no event. */
import type { StepRequest } from "../../models/exchange.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import { configuredHosts } from "../../store/own-hosts.ts";
import type { EndpointSettings } from "../../store/views/settings.ts";
import { withNewToken } from "../exchange/credentials/oauth.ts";
import { prepareStep } from "../exchange/request/step-request.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import type { Delivery } from "../rules/delivery.ts";
import type { TaskIo } from "./task.ts";

export type Reachable = Pick<EndpointSettings, "ownHosts"> & { endpoint: ReadableEndpoint };

/**
 * Returns how it ended; null if the exchange was lost and its outcome is unknown. An access token
 * that is refused is replaced once. Throws what the protocol or the signing throws: a bug.
 */
export function exchangeStep(
	{ id: deliveryId, position }: Pick<Delivery, "id" | "position">,
	{ endpoint, ownHosts }: Reachable,
	{ step, timeoutMs }: { step: StepRequest; timeoutMs: number },
	{ env, exchange }: Pick<TaskIo, "env" | "exchange">,
): Promise<AttemptResult | null> {
	const hosts = configuredHosts(env) ?? ownHosts;
	return withNewToken(endpoint.auth, async () => {
		const startedAt = Date.now();
		const prepared = await prepareStep(env, { endpoint, ownHosts: hosts, step, deliveryId, now: startedAt });
		if ("result" in prepared) return prepared.result;
		const { request } = prepared;
		return exchange({ deliveryId, position, startedAt, request, timeoutMs, isStep: true });
	});
}
