/**
 * Makes an endpoint from a request: a new one, or a replacement of an existing one. POST, PUT and
 * the configuration document use the same two functions. Nothing is written and nothing is read
 * here.
 */
import type * as z from "zod";
import { generateSigningSecret } from "../../crypto/standard-webhooks.ts";
import { isSecretHeader } from "../../delivery/exchange/credentials/secret-headers.ts";
import type { Env } from "../../env.ts";
import { newId } from "../../events/ids.ts";
import type { FieldError } from "../../http/problem.ts";
import { protocolOf } from "../../models/registry.ts";
import { DEFAULT_COMPLETION, DEFAULT_RETRY } from "../../store/resources/endpoint-columns.ts";
import type { EndpointChanges } from "../../store/resources/endpoint-row.ts";
import { ownHostsAt } from "../../store/own-hosts.ts";
import type { Completion, Endpoint, ReadableEndpoint, RetryPolicy, Status } from "../../store/records.ts";
import { differing, isObject, isSame } from "../fields/compare.ts";
import { valueAt, withValueAt } from "../fields/paths.ts";
import { currentSecret, newSecret } from "../fields/secrets.ts";
import { invalidRequest } from "../http/body.ts";
import { mergeCompletion } from "./completion-field.ts";
import { declaredEndpoint, requiredSecrets } from "./declared.ts";
import {
	DEFAULT_MAX_CONCURRENCY,
	DEFAULT_TIMEOUT_SECONDS,
	type createEndpointSchema,
	mergeRetry,
} from "./fields.ts";
import { HIDDEN } from "../../crypto/hidden.ts";
import { impliedProtocol, refuseAddresses, refuseReach } from "./reach.ts";

export type EndpointInput = z.output<typeof createEndpointSchema>;

/** What addresses are checked against. */
export interface Site {
	env: Env;
	/** The URL at which the router was reached. */
	requestUrl: string;
	ownHosts: readonly string[];
}

export async function siteOf(env: Env, requestUrl: string): Promise<Site> {
	return { env, requestUrl, ownHosts: await ownHostsAt(env, requestUrl) };
}

type Declared = Pick<
	ReadableEndpoint,
	| "url"
	| "protocol"
	| "model"
	| "auth"
	| "headers"
	| "timeoutSeconds"
	| "maxConcurrency"
	| "retry"
	| "completion"
>;

/**
 * A new endpoint under a new id, and its signing secret, which is shown once. Throws 422. `now` in
 * ms.
 */
export function draftEndpoint(
	input: EndpointInput,
	site: Site,
	now: number,
): { endpoint: ReadableEndpoint; secret: string } {
	const secret = input.signing_secret ?? generateSigningSecret();
	const endpoint: ReadableEndpoint = {
		id: newId("ep"),
		name: input.name,
		version: input.version ?? "1",
		...declare(input, null, site),
		signingSecrets: [newSecret(secret, now)],
		status: input.status ?? "active",
		statusReason: input.status === "paused" ? "manual" : null,
		revision: 1,
		createdAt: now,
		updatedAt: now,
	};
	return { endpoint, secret };
}

/**
 * What changes if `input` replaces all of an endpoint except its id, its signing secrets and,
 * unless it is given, its status; null: nothing. A given signing secret that differs from the
 * current one takes effect at once and alone. Throws 422.
 */
export function replaceEndpoint(
	former: Endpoint,
	input: EndpointInput,
	site: Site,
	now: number,
): EndpointChanges | null {
	const { signing_secret: secret, status } = input;
	const changes: EndpointChanges = {
		...differing<EndpointChanges>(former, declare(input, former, site)),
		...statusChange(former, status),
	};
	if (secret !== undefined && currentSecret(former.signingSecrets ?? [], now) !== secret) {
		changes.signingSecrets = [newSecret(secret, now)];
	}
	return Object.keys(changes).length === 0 ? null : changes;
}

/** An endpoint that is already stopped keeps its own reason. */
function statusChange(
	{ status: former }: Endpoint,
	wanted: Status | undefined,
): Pick<EndpointChanges, "status" | "statusReason"> {
	if (wanted === "active" && former !== "active") return { status: "active", statusReason: null };
	if (wanted === "paused" && former === "active") return { status: "paused", statusReason: "manual" };
	return {};
}

function declare(input: EndpointInput, former: Endpoint | null, site: Site): Declared {
	const { url, protocol = impliedProtocol(url) ?? "http", model = null } = input;
	const auth = input.auth ?? { type: "none" };
	const { env, ownHosts } = site;
	refuse(
		refuseAddresses(env, { url, auth }, { allowPrivate: env.ALLOW_PRIVATE_ENDPOINTS === "true", ownHosts }),
	);
	refuse(refuseReach({ url, protocol, model, auth }));
	return {
		url,
		protocol,
		model,
		auth,
		headers: resolveHeaders(input.headers ?? {}, former === null ? {} : former.headers),
		timeoutSeconds: input.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS,
		maxConcurrency: input.max_concurrency ?? defaultConcurrency(protocol),
		retry: refuseContradiction(mergeRetry(DEFAULT_RETRY, input)),
		completion: completionFor(input, protocol, former, site),
	};
}

/**
 * The callback URL depends on the host that the API was called at, and stays the same while nothing
 * else in `completion` changes.
 */
function completionFor(
	{ completion: input = {} }: EndpointInput,
	protocol: string,
	former: Endpoint | null,
	{ requestUrl }: Site,
): Completion {
	const stored = former?.completion ?? null;
	const merged = mergeCompletion(
		{ ...DEFAULT_COMPLETION, webhookSecret: stored?.webhookSecret ?? null },
		{ webhook_secret: null, ...input },
		{ protocol, requestUrl },
	);
	if (stored === null) return merged;
	const { callbackOrigin } = stored;
	// The new protocol may be the first of this endpoint that uses callbacks.
	const isNew = callbackOrigin === null && former?.protocol !== protocol;
	return !isNew && isSame({ ...merged, callbackOrigin }, stored) ? stored : merged;
}

/**
 * `body` with the stored credentials in place of masked or missing ones that an `auth` of the same
 * type needs.
 */
export function withStoredAuth(body: unknown, former: Endpoint): unknown {
	if (!isObject(body)) return body;
	const stored = declaredEndpoint(former);
	if (valueAt(stored, ["auth", "type"]) !== valueAt(body, ["auth", "type"])) return body;
	return requiredSecrets(body["auth"]).reduce((filled, path) => {
		const given = valueAt(filled, path);
		return given === undefined || given === HIDDEN
			? withValueAt(filled, path, valueAt(stored, path))
			: filled;
	}, body);
}

export function refuse(errors: readonly FieldError[]): void {
	if (errors.length > 0) throw invalidRequest(errors);
}

function defaultConcurrency(protocol: string): number {
	return protocolOf(protocol)?.defaults.maxConcurrency ?? DEFAULT_MAX_CONCURRENCY;
}

export function refuseContradiction(retry: RetryPolicy): RetryPolicy {
	const both = retry.statuses.filter((status) => retry.busyStatuses.includes(status));
	if (both.length === 0) return retry;
	throw invalidRequest([{ path: "busy.statuses", message: `also in retry.statuses: ${both.join(", ")}` }]);
}

/** Replaces each masked value with the stored one. `former` is null if it cannot be read. */
export function resolveHeaders(
	headers: Record<string, string>,
	former: Record<string, string> | null,
): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).map(([name, value]) => {
			if (value !== HIDDEN || !isSecretHeader(name)) return [name, value];
			const isSameName = ([other]: [string, string]) => other.toLowerCase() === name.toLowerCase();
			const stored = Object.entries(former ?? {}).findLast(isSameName)?.[1];
			if (stored !== undefined) return [name, stored];
			const missing = former === null ? "the stored ones cannot be read" : "there is none for this header";
			const message = `${HIDDEN} stands for a stored value, and ${missing}`;
			throw invalidRequest([{ path: `headers.${name}`, message }]);
		}),
	);
}
