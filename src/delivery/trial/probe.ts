/**
 * Asks a model server whether its model is ready, if its protocol supports that. Applies the
 * address rules and sends the endpoint's credentials and headers; unsigned, because it carries no
 * event. Never throws.
 */
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import type { ProbeContext } from "../../models/protocol.ts";
import { protocolOf } from "../../models/registry.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import { carry } from "../exchange/carriers/carry.ts";
import { MAX_RESPONSE_BYTES } from "../exchange/carriers/send.ts";
import { prepareStep } from "../exchange/request/step-request.ts";

const TIMEOUT_MS = 5_000;

/**
 * false also if there is no response. null: the protocol cannot ask, nothing could be sent, or the
 * response does not say.
 */
export async function askReady(
	env: Env,
	endpoint: ReadableEndpoint,
	ownHosts: readonly string[],
): Promise<boolean | null> {
	const ready = protocolOf(endpoint.protocol)?.ready;
	if (ready === undefined) return null;
	const context: ProbeContext = { url: endpoint.url, model: endpoint.model };
	try {
		const step = ready.request(context);
		const now = Date.now();
		const prepared = await prepareStep(env, { endpoint, ownHosts, step, deliveryId: null, now });
		if ("result" in prepared) return null;
		const options = { timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_RESPONSE_BYTES };
		const result = await carry(env, prepared.request, options);
		if (result.kind === "no_response") return false;
		// Protocols do not get an incomplete 2xx.
		if (result.failure !== null && result.status >= 200 && result.status < 300) return null;
		return ready.isReady(result, context);
	} catch (error) {
		log("endpoint.probe_failed", { endpoint_id: endpoint.id, error: String(error) });
		return null;
	}
}
