/** `/v1/endpoints`: the model versions that events can be sent to. */
import { type Context, Hono } from "hono";
import { generateSigningSecret, refuseSigningSecret } from "../../crypto/standard-webhooks.ts";
import type { Env } from "../../env.ts";
import { newId } from "../../events/ids.ts";
import { type FieldError, Problem } from "../../http/problem.ts";
import {
	type EndpointChanges,
	deleteEndpoint,
	findEndpoint,
	insertEndpoint,
	listEndpoints,
	updateEndpoint,
} from "../../store/endpoints.ts";
import { protocolOf } from "../../models/registry.ts";
import { ownHostsAt } from "../../store/own-hosts.ts";
import type { Endpoint, ReadableEndpoint, RetryPolicy } from "../../store/records.ts";
import { type Action, recordChange } from "../access/audit.ts";
import { ownRows, requireOwnName } from "../access/own.ts";
import { invalidRequest, readJson, readOptionalJson } from "../http/body.ts";
import type { ApiEnv } from "../http/context.ts";
import { isSecretHeader } from "../../delivery/exchange/secret-headers.ts";
import { blockedToWire } from "./blocked.ts";
import { healthQuery, healthToWire } from "./health.ts";
import { refreshDispatchers, tellDeleted } from "../deliveries/dispatchers.ts";
import {
	DEFAULT_MAX_CONCURRENCY,
	DEFAULT_TIMEOUT_SECONDS,
	createEndpointSchema,
	endpointToAudit,
	endpointToWire,
	mergeRetry,
	patchEndpointSchema,
} from "./fields.ts";
import { DEFAULT_COMPLETION, DEFAULT_RETRY } from "../../store/endpoint-columns.ts";
import { type CompletionInput, mergeCompletion, refuseCompletion } from "./completion-field.ts";
import { HIDDEN } from "./hidden.ts";
import { endpointNotFound, getEndpoint } from "./lookup.ts";
import { testEndpoint } from "./test.ts";
import { type Reach, impliedProtocol, refuseAddresses, refuseReach } from "./reach.ts";
import { readPage } from "../http/pages.ts";
import { readQuery } from "../http/query.ts";
import { newSecret, rotateSecrets, rotationSchema } from "../fields/secrets.ts";
import { type Changeable, changeRecord, isLost, named } from "../http/writes.ts";

export const endpoints = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const input = await readJson(c.req.raw, createEndpointSchema);
		requireOwnName(c.var, "endpoints", input.name);
		const { url, protocol = impliedProtocol(url) ?? "http", model = null } = input;
		const auth = input.auth ?? { type: "none" };
		await checkAddresses(c.env, { url, auth }, c.req.url);
		refuse(refuseReach({ url, protocol, model, auth }));
		const now = Date.now();
		const secret = input.signing_secret ?? generateSigningSecret();
		const endpoint: ReadableEndpoint = {
			id: newId("ep"),
			name: input.name,
			version: input.version ?? "1",
			url,
			protocol,
			model,
			auth,
			headers: resolveHeaders(input.headers ?? {}, {}),
			timeoutSeconds: input.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS,
			maxConcurrency: input.max_concurrency ?? defaultConcurrency(protocol),
			retry: refuseContradiction(mergeRetry(DEFAULT_RETRY, input)),
			completion: mergeCompletion(DEFAULT_COMPLETION, input.completion ?? {}, {
				protocol,
				requestUrl: c.req.url,
			}),
			signingSecrets: [newSecret(secret, now)],
			status: input.status ?? "active",
			statusReason: input.status === "paused" ? "manual" : null,
			revision: 1,
			createdAt: now,
			updatedAt: now,
		};
		if (!(await insertEndpoint(c.env, endpoint))) {
			const ref = `${endpoint.name}@${endpoint.version}`;
			throw new Problem(
				409,
				"name_taken",
				`There is an endpoint ${ref}; give the other one another version.`,
			);
		}
		const after = endpointToAudit(endpoint);
		await recordChange(c, { action: "create", resource: "endpoint", before: null, after });
		return c.json({ ...endpointToWire(endpoint), signing_secret: secret }, 201);
	})
	.get("/", async (c) => {
		const { items, nextCursor } = await readPage(c, "endpoints", (query) =>
			listEndpoints(c.env, { ...query, ...ownRows(c.var, "endpoints") }),
		);
		return c.json({ data: items.map(endpointToWire), next_cursor: nextCursor });
	})
	.get("/:ref", async (c) => {
		const endpoint = await getEndpoint(c.env, c.req.param("ref"));
		return c.json({ ...endpointToWire(endpoint), ...(await blockedToWire(c.env, endpoint)) });
	})
	.patch("/:ref", async (c) => {
		const input = await readJson(c.req.raw, patchEndpointSchema);
		const { url, model, auth, headers, timeout_seconds, max_concurrency, retry, busy } = input;
		const protocol = input.protocol ?? (url === undefined ? undefined : impliedProtocol(url));
		await checkAddresses(c.env, { url, auth }, c.req.url);
		const endpoint = await changeEndpoint(c, "update", (former) => ({
			...checkedReach(former, named({ url, protocol, model, auth })),
			...named({ timeoutSeconds: timeout_seconds, maxConcurrency: max_concurrency }),
			...completionChanges(former, { ...input, protocol }, c.req.url),
			...(headers !== undefined && { headers: resolveHeaders(headers, former.headers) }),
			...((retry ?? busy) !== undefined && { retry: refuseContradiction(mergeRetry(former.retry, input)) }),
		}));
		return c.json(endpointToWire(endpoint));
	})
	.delete("/:ref", async (c) => {
		const ref = c.req.param("ref");
		const endpoint = await findEndpoint(c.env, ref);
		const id = endpoint?.id ?? ((await isLost(c.env, "ep", ref)) ? ref : null);
		if (id === null) throw endpointNotFound();
		const { usedBy } = await deleteEndpoint(c.env, id);
		if (usedBy.length > 0) {
			throw new Problem(
				409,
				"endpoint_in_use",
				`Delete the subscriptions to it first, or let them target another endpoint: ${usedBy.join(", ")}.`,
			);
		}
		const before = endpoint && endpointToAudit(endpoint);
		await recordChange(c, { action: "delete", resource: "endpoint", before, after: null, id });
		await tellDeleted(c.env, id);
		return c.body(null, 204);
	})
	.post("/:ref/secret/rotate", async (c) => {
		const input = await readOptionalJson(c.req.raw, rotationSchema);
		const secret = input.secret ?? generateSigningSecret();
		const refusal = refuseSigningSecret(secret);
		if (refusal !== null) throw invalidRequest([{ path: "secret", message: refusal }]);
		const graceSeconds = input.grace_period_seconds;
		const endpoint = await changeEndpoint(c, "rotate_secret", ({ signingSecrets }) => ({
			signingSecrets: rotateSecrets(signingSecrets, secret, { now: Date.now(), graceSeconds }),
		}));
		return c.json({ ...endpointToWire(endpoint), signing_secret: secret });
	})
	.post("/:ref/pause", async (c) => {
		// One that has stopped already keeps its own reason.
		const endpoint = await changeEndpoint(c, "pause", ({ status }) =>
			status === "active" ? { status: "paused", statusReason: "manual" } : null,
		);
		return c.json(endpointToWire(endpoint));
	})
	.post("/:ref/resume", async (c) => {
		const resumed = { status: "active", statusReason: null } as const;
		return c.json(endpointToWire(await changeEndpoint(c, "resume", () => resumed)));
	})
	.get("/:ref/health", async (c) => {
		const { probe } = readQuery(c, healthQuery);
		const endpoint = await getEndpoint(c.env, c.req.param("ref"));
		return c.json(await healthToWire(c.env, endpoint, { url: c.req.url, isProbed: probe === "true" }));
	})
	.post("/:ref/test", async (c) => {
		const endpoint = await getEndpoint(c.env, c.req.param("ref"));
		return c.body(await testEndpoint(c.env, endpoint, c.req.raw), 200, {
			"content-type": "application/json",
		});
	});

const changeable: Changeable<Endpoint, EndpointChanges> = {
	get: getEndpoint,
	update: updateEndpoint,
	taken: () => {
		throw new Error("the name of an endpoint does not change");
	},
};

/** Makes a change of the endpoint that the path names and tells the dispatcher; throws what `changeRecord` throws. */
async function changeEndpoint(
	c: Context<ApiEnv, "/:ref">,
	action: Action,
	compute: (former: Endpoint) => EndpointChanges | null,
): Promise<Endpoint> {
	const { former, record, changes } = await changeRecord(c.env, changeable, c.req.param("ref"), compute);
	if (changes === null) return record;
	const [before, after] = [endpointToAudit(former), endpointToAudit(record)];
	await recordChange(c, { action, resource: "endpoint", before, after });
	await refreshDispatchers(c.env, [record.id], { repaired: isRepair(changes) });
	return record;
}

/**
 * Whether the change may fix what made the endpoint fail: its URL, its protocol, its model, its credentials and headers,
 * or that it is resumed.
 */
function isRepair(changes: EndpointChanges): boolean {
	const { url, protocol, model, auth, headers, completion, signingSecrets, status } = changes;
	const repairs = [url, protocol, model, auth, headers, completion, signingSecrets];
	return status === "active" || repairs.some((to) => to !== undefined);
}

/** A protocol that changes has to have the mode that was asked for before. */
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

/** The changes, when the endpoint can still be reached with them. */
function checkedReach<T extends Partial<Reach>>(former: Endpoint, changes: T): T {
	if (Object.keys(changes).length > 0) refuse(refuseReach({ ...former, ...changes }));
	return changes;
}

function refuse(errors: readonly FieldError[]): void {
	if (errors.length > 0) throw invalidRequest(errors);
}

function defaultConcurrency(protocol: string): number {
	return protocolOf(protocol)?.defaults.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
}

async function checkAddresses(
	env: Env,
	addresses: Parameters<typeof refuseAddresses>[1],
	requestUrl: string,
): Promise<void> {
	if (addresses.url === undefined && addresses.auth === undefined) return;
	const allowPrivate = env.ALLOW_PRIVATE_ENDPOINTS === "true";
	refuse(refuseAddresses(env, addresses, { allowPrivate, ownHosts: await ownHostsAt(env, requestUrl) }));
}

function refuseContradiction(retry: RetryPolicy): RetryPolicy {
	const both = retry.statuses.filter((status) => retry.busyStatuses.includes(status));
	if (both.length === 0) return retry;
	throw invalidRequest([{ path: "busy.statuses", message: `also in retry.statuses: ${both.join(", ")}` }]);
}

/** Puts the stored value wherever a hidden one came back as it was shown. `former` is null when it cannot be read. */
function resolveHeaders(
	headers: Record<string, string>,
	former: Record<string, string> | null,
): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).map(([name, value]) => {
			if (value !== HIDDEN || !isSecretHeader(name)) return [name, value];
			const isSame = ([other]: [string, string]) => other.toLowerCase() === name.toLowerCase();
			const stored = Object.entries(former ?? {}).findLast(isSame)?.[1];
			if (stored !== undefined) return [name, stored];
			const missing = former === null ? "the stored ones cannot be read" : "there is none of this header";
			const message = `${HIDDEN} stands for a stored value, and ${missing}`;
			throw invalidRequest([{ path: `headers.${name}`, message }]);
		}),
	);
}
