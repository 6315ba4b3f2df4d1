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
import { withNewToken } from "../exchange/credentials/oauth.ts";
import { MAX_RESPONSE_BYTES } from "../exchange/carriers/send.ts";
import { prepareStep, type StepParts } from "../exchange/request/step-request.ts";
import type { AttemptResult } from "../rules/attempt.ts";

/** For each request, ms. */
const TIMEOUT_MS = 5_000;
const UNAUTHORIZED = new Set([401, 403, 407]);

/**
 * Also false if there is no response. null: the protocol has no such request, nothing could be sent, or the response
 * does not say.
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
		const asked = { endpoint, ownHosts, step };
		const result = await withNewToken(endpoint.auth, () => ask(env, asked));
		if (result === null) return null;
		if (result.kind === "no_response") return false;
		// The credentials were refused, which says nothing about the model.
		if (UNAUTHORIZED.has(result.status)) return null;
		// Protocols do not get an incomplete 2xx.
		if (result.failure !== null && result.status >= 200 && result.status < 300) return null;
		return ready.isReady(result, context);
	} catch (error) {
		log("endpoint.probe_failed", { endpoint_id: endpoint.id, error: String(error) });
		return null;
	}
}

/** null: nothing could be sent. */
async function ask(
	env: Env,
	asked: Pick<StepParts, "endpoint" | "ownHosts" | "step">,
): Promise<AttemptResult | null> {
	const prepared = await prepareStep(env, { ...asked, deliveryId: null, now: Date.now() });
	if ("result" in prepared) return null;
	return carry(env, prepared.request, { timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_RESPONSE_BYTES });
}
