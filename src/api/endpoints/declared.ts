/**
 * An endpoint as its owner has declared it: the fields of the API with every value, secrets
 * included. It never leaves the process in this form; it is used to find changes and to build the
 * configuration document.
 */
import type { Endpoint, EndpointAuth } from "../../store/records.ts";
import { isSecretHeader } from "../../delivery/exchange/credentials/secret-headers.ts";
import { isObject } from "../fields/compare.ts";
import { named } from "../http/writes.ts";

/** Unreadable values are absent. */
export function declaredEndpoint(endpoint: Endpoint): Record<string, unknown> {
	const { auth, headers, completion, retry } = endpoint;
	return named({
		name: endpoint.name,
		version: endpoint.version,
		url: endpoint.url,
		protocol: endpoint.protocol,
		model: endpoint.model,
		auth: auth === null ? undefined : authToInput(auth),
		headers: headers ?? undefined,
		timeout_seconds: endpoint.timeoutSeconds,
		max_concurrency: endpoint.maxConcurrency,
		retry: {
			schedule_seconds: retry.scheduleSeconds,
			busy_max_wait_seconds: retry.busyMaxWaitSeconds,
			cold_start_seconds: retry.coldStartSeconds,
			statuses: retry.statuses,
		},
		busy: { statuses: retry.busyStatuses },
		completion:
			completion === null
				? undefined
				: {
						mode: completion.mode,
						deadline_seconds: completion.deadlineSeconds,
						hold_slot: completion.holdSlot,
						webhook_secret: completion.webhookSecret,
					},
	});
}

function authToInput(auth: EndpointAuth): Record<string, unknown> {
	switch (auth.type) {
		case "none":
		case "basic":
		case "header":
		case "headers":
		case "bearer":
			return named({ ...auth });
		case "aws_sigv4":
			return named({
				type: auth.type,
				access_key_id: auth.accessKeyId,
				secret_access_key: auth.secretAccessKey,
				session_token: auth.sessionToken,
				region: auth.region,
				service: auth.service,
			});
		case "oauth2_client_credentials":
			return named({
				type: auth.type,
				token_url: auth.tokenUrl,
				client_id: auth.clientId,
				client_secret: auth.clientSecret,
				scope: auth.scope,
				audience: auth.audience,
				client_auth: auth.clientAuth,
			});
	}
}

/** The members of `auth` that are secrets, by its type; required ones first. */
const AUTH_SECRETS: Readonly<Record<string, readonly string[]>> = {
	bearer: ["token"],
	basic: ["password"],
	header: ["value"],
	aws_sigv4: ["secret_access_key"],
	oauth2_client_credentials: ["client_secret"],
};

/** The paths of the secrets that `auth` requires, whether or not they are present. */
export function requiredSecrets(auth: unknown): string[][] {
	const type = isObject(auth) ? auth["type"] : undefined;
	return typeof type === "string" && Object.hasOwn(AUTH_SECRETS, type)
		? (AUTH_SECRETS[type] ?? []).map((member) => ["auth", member])
		: [];
}

/** The paths at which a declared endpoint has secrets. */
export function secretPaths(declared: Record<string, unknown>): string[][] {
	const { auth, headers, completion } = declared;
	return [
		...requiredSecrets(auth).filter(([, member = ""]) => isObject(auth) && auth[member] !== undefined),
		...(isObject(auth) ? authPaths(auth) : []),
		...(isObject(headers)
			? Object.keys(headers)
					.filter(isSecretHeader)
					.map((name) => ["headers", name])
			: []),
		...(isObject(completion) && typeof completion["webhook_secret"] === "string"
			? [["completion", "webhook_secret"]]
			: []),
	];
}

/**
 * Beyond the required ones: a session token, each of several headers, and a URL with a query, which
 * may contain a secret.
 */
function authPaths(auth: Record<string, unknown>): string[][] {
	const { token_url: tokenUrl, session_token: sessionToken, headers } = auth;
	return [
		...(sessionToken === undefined ? [] : [["auth", "session_token"]]),
		...(isObject(headers) ? Object.keys(headers).map((name) => ["auth", "headers", name]) : []),
		...(typeof tokenUrl === "string" && tokenUrl.includes("?") ? [["auth", "token_url"]] : []),
	];
}
