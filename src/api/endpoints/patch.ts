/** What a PATCH of an endpoint changes, and what it refuses. Pure. */
import type * as z from "zod";
import { DEFAULT_COMPLETION } from "../../store/resources/endpoint-columns.ts";
import type { EndpointChanges } from "../../store/resources/endpoint-row.ts";
import type { Endpoint } from "../../store/records.ts";
import { named } from "../http/writes.ts";
import { type CompletionInput, mergeCompletion, refuseCompletion } from "./completion-field.ts";
import { type Site, refuse, refuseContradiction, resolveHeaders } from "./draft.ts";
import { type patchEndpointSchema, mergeRetry } from "./fields.ts";
import { type Reach, impliedProtocol, refuseAddresses, refuseReach } from "./reach.ts";

/** Throws 422. */
export function patchEndpoint(
	former: Endpoint,
	input: z.output<typeof patchEndpointSchema>,
	site: Site,
): EndpointChanges {
	const { url, model, auth, headers, timeout_seconds, max_concurrency, retry, busy } = input;
	const protocol = input.protocol ?? (url === undefined ? undefined : impliedProtocol(url));
	const { env, ownHosts, requestUrl } = site;
	const allowPrivate = env.ALLOW_PRIVATE_ENDPOINTS === "true";
	refuse(refuseAddresses(env, { url, auth }, { allowPrivate, ownHosts }));
	return {
		...checkedReach(former, named({ url, protocol, model, auth })),
		...named({ timeoutSeconds: timeout_seconds, maxConcurrency: max_concurrency }),
		...completionChanges(former, { ...input, protocol }, requestUrl),
		...(headers !== undefined && { headers: resolveHeaders(headers, former.headers) }),
		...((retry ?? busy) !== undefined && { retry: refuseContradiction(mergeRetry(former.retry, input)) }),
	};
}

/** A new protocol has to support the mode that was set earlier. */
function completionChanges(
	former: Endpoint,
	{ completion, protocol }: { completion?: CompletionInput | undefined; protocol?: string | undefined },
	requestUrl: string,
): Pick<EndpointChanges, "completion"> {
	const stored = former.completion ?? DEFAULT_COMPLETION;
	const speaks = protocol ?? former.protocol;
	if (completion !== undefined)
		return { completion: mergeCompletion(stored, completion, { protocol: speaks, requestUrl }) };
	refuseCompletion(speaks, stored);
	return {};
}

/** Returns the changes if the endpoint can still be reached with them. */
function checkedReach<T extends Partial<Reach>>(former: Endpoint, changes: T): T {
	if (Object.keys(changes).length > 0) refuse(refuseReach({ ...former, ...changes }));
	return changes;
}
