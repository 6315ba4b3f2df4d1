/** Writes endpoints for the routes, then updates the audit log and notifies the dispatcher. */
import type { Context } from "hono";
import { Problem } from "../../http/problem.ts";
import { insertEndpoint, updateEndpoint } from "../../store/resources/endpoints.ts";
import type { EndpointChanges } from "../../store/resources/endpoint-row.ts";
import type { Endpoint } from "../../store/records.ts";
import { type Action, recordChange } from "../access/audit.ts";
import { refreshDispatchers } from "../deliveries/dispatchers.ts";
import type { ApiEnv } from "../http/context.ts";
import { requirePreconditions, setEtag } from "../http/preconditions.ts";
import { type Changeable, changeRecord } from "../http/writes.ts";
import { type EndpointInput, draftEndpoint, siteOf } from "./draft.ts";
import { endpointToAudit, endpointToWire } from "./fields.ts";
import { getEndpoint } from "./lookup.ts";

/** The 201 with the signing secret; null if this version of the name exists. Throws 422. */
export async function createEndpoint(c: Context<ApiEnv>, input: EndpointInput): Promise<Response | null> {
	const { endpoint, secret } = draftEndpoint(input, await siteOf(c.env, c.req.url), Date.now());
	if (!(await insertEndpoint(c.env, endpoint))) return null;
	const after = endpointToAudit(endpoint);
	await recordChange(c, { action: "create", resource: "endpoint", before: null, after });
	setEtag(c, endpoint);
	return c.json({ ...endpointToWire(endpoint), signing_secret: secret }, 201);
}

export function versionTaken({ name, version = "1" }: EndpointInput): Problem {
	const detail = `There is already an endpoint ${name}@${version}. Choose another name or another version.`;
	return new Problem(409, "name_taken", detail);
}

const changeable: Changeable<Endpoint, EndpointChanges> = {
	get: getEndpoint,
	update: updateEndpoint,
	taken: () => {
		throw new Error("the name of an endpoint cannot change");
	},
};

/**
 * Changes an endpoint and notifies its dispatcher; the response gets its ETag. Throws what
 * `changeRecord` throws, and 412.
 */
export async function changeEndpoint(
	c: Context<ApiEnv>,
	ref: string,
	action: Action,
	compute: (former: Endpoint) => EndpointChanges | null,
): Promise<Endpoint> {
	const { former, record, changes } = await changeRecord(c.env, changeable, ref, (present) => {
		requirePreconditions(c.req.raw.headers, present);
		return compute(present);
	});
	setEtag(c, record);
	if (changes === null) {
		// It may be held, although it is active: its owner says that it works again.
		if (action === "resume") await refreshDispatchers(c.env, [record.id], { repaired: true });
		return record;
	}
	const [before, after] = [endpointToAudit(former), endpointToAudit(record)];
	await recordChange(c, { action, resource: "endpoint", before, after });
	await refreshDispatchers(c.env, [record.id], { repaired: isRepair(changes) });
	return record;
}

/**
 * Whether the change may fix the cause of the endpoint's failures: its URL, protocol, model,
 * credentials or headers, or a resume.
 */
export function isRepair(changes: EndpointChanges): boolean {
	const { url, protocol, model, auth, headers, completion, signingSecrets, status } = changes;
	const repairs = [url, protocol, model, auth, headers, completion, signingSecrets];
	return status === "active" || repairs.some((to) => to !== undefined);
}
