/**
 * Asks a model server whether its model is ready, where its protocol knows how. Under the rules for addresses, with the
 * endpoint's credentials and headers; unsigned, because it carries nothing. Never throws.
 */
import { Buffer } from "node:buffer";
import type { Env } from "../../env.ts";
import { log } from "../../log.ts";
import { originOf } from "../../models/address.ts";
import type { StepRequest } from "../../models/exchange.ts";
import type { ProbeContext } from "../../models/protocol.ts";
import { protocolOf } from "../../models/registry.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import { ownHeaders, USER_AGENT } from "../exchange/request.ts";
import { MAX_RESPONSE_BYTES, send } from "../exchange/send.ts";
import { refuseAddress } from "../exchange/url-guard.ts";
import type { OutgoingRequest } from "../rules/attempt.ts";

const TIMEOUT_MS = 5_000;

/** false, too: nobody responds. null: the protocol cannot ask, the address is none that is sent to, or nothing is said. */
export async function askReady(
	env: Pick<Env, "ALLOW_PRIVATE_ENDPOINTS">,
	endpoint: ReadableEndpoint,
	ownHosts: readonly string[],
): Promise<boolean | null> {
	const ready = protocolOf(endpoint.protocol)?.ready;
	const { url, model } = endpoint;
	const allowPrivate = env.ALLOW_PRIVATE_ENDPOINTS === "true";
	if (ready === undefined || refuseAddress(url, { allowPrivate, ownHosts }) !== null) return null;
	const context: ProbeContext = { url, model };
	try {
		const request = requestOf(ready.request(context), endpoint);
		const result = await send(request, { timeoutMs: TIMEOUT_MS, maxBodyBytes: MAX_RESPONSE_BYTES });
		if (result.kind === "no_response") return false;
		// A protocol is shown no 2xx of which a part is missing.
		if (result.failure !== null && result.status >= 200 && result.status < 300) return null;
		return ready.isReady(result, context);
	} catch (error) {
		log("endpoint.probe_failed", { endpoint_id: endpoint.id, error: String(error) });
		return null;
	}
}

/** Throws for a request that would lead the credentials to another host: a bug of the protocol. */
function requestOf({ method, url, headers, body }: StepRequest, endpoint: ReadableEndpoint): OutgoingRequest {
	if (originOf(url) !== originOf(endpoint.url))
		throw new Error("a protocol has left the host of its endpoint");
	return {
		method,
		url,
		headers: { "user-agent": USER_AGENT, ...headers, ...ownHeaders(endpoint) },
		body: body === null ? null : Buffer.from(body),
	};
}
