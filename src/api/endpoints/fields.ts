/**
 * An endpoint on the wire: the fields that may be written, their defaults, and the response without
 * secrets.
 */
import * as z from "zod";
import { MAX_TIMEOUT_MS } from "../../delivery/rules/attempt.ts";
import { isSecretHeader } from "../../delivery/exchange/credentials/secret-headers.ts";
import { refuseSigningSecret } from "../../crypto/standard-webhooks.ts";
import { PROTOCOL_NAMES, isProtocolName } from "../../models/registry.ts";
import type { Endpoint, RetryPolicy } from "../../store/records.ts";
import { CHANGED_BY_ACTION, nameField, statusField } from "../fields/fields.ts";
import { statusOf } from "../fields/status.ts";
import { formatTime } from "../fields/times.ts";
import { authField, authToWire } from "./auth-fields.ts";
import { HIDDEN } from "../../crypto/hidden.ts";
import { completionField, completionToWire } from "./completion-field.ts";
import { headersField } from "./header-fields.ts";

export const DEFAULT_TIMEOUT_SECONDS = 30;
/** As many as the dispatcher carries out itself; more need hands. */
export const DEFAULT_MAX_CONCURRENCY = 5;

/** Half a day: longer steps would be hard for an operator to follow. */
const MAX_STEP_SECONDS = 43_200;
const MAX_BUSY_WAIT_SECONDS = 604_800;

const version = z
	.string()
	.regex(
		/^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/,
		"up to 64 letters, digits, dots, dashes, underscores and pluses",
	)
	.refine((version) => version !== "latest", 'cannot be "latest", which stands for the newest version');

const protocol = z.string().refine(isProtocolName, `one of: ${PROTOCOL_NAMES.join(", ")}`);

/** Used in paths and bodies; path steps such as `..` are not allowed. */
const model = z
	.string()
	.max(256)
	.refine(
		(model) => /^[^\s\p{Cc}\\?#]+$/u.test(model) && !/(?:^|\/)\.{0,2}(?:\/|$)/.test(model),
		"a name without spaces, control characters, backslashes, ? and #; no part between slashes may be empty, . or ..",
	);

/** Statuses below 300 are successes and cannot be made failures. */
const statuses = z.array(z.number().int().min(300).max(599)).max(50);

const retry = z
	.strictObject({
		schedule_seconds: z.array(z.number().int().min(1).max(MAX_STEP_SECONDS)).min(1).max(20),
		busy_max_wait_seconds: z.number().int().min(0).max(MAX_BUSY_WAIT_SECONDS),
		cold_start_seconds: z.number().int().min(0).max(3_600),
		statuses,
	})
	.partial();

const busy = z.strictObject({ statuses }).partial();

const signingSecret = z.string().superRefine((secret, context) => {
	const message = refuseSigningSecret(secret);
	if (message !== null) context.addIssue({ code: "custom", message });
});

const UNCHANGEABLE = "cannot change: create an endpoint with the new value and point the subscriptions to it";

const fields = z.strictObject({
	name: nameField("ep"),
	version,
	url: z.string(),
	protocol,
	model: model.nullable(),
	auth: authField,
	headers: headersField,
	timeout_seconds: z
		.number()
		.int()
		.min(1)
		.max(MAX_TIMEOUT_MS / 1000),
	max_concurrency: z.number().int().min(1).max(600),
	retry,
	busy,
	completion: completionField,
	signing_secret: signingSecret,
	status: statusField,
});

export const createEndpointSchema = fields.partial().required({ name: true, url: true });
export const patchEndpointSchema = fields
	.omit({ signing_secret: true })
	.partial()
	.extend({
		name: z.never(UNCHANGEABLE).optional(),
		version: z.never(UNCHANGEABLE).optional(),
		status: CHANGED_BY_ACTION,
	});

type PolicyInput = { retry?: z.output<typeof retry> | undefined; busy?: z.output<typeof busy> | undefined };

/** `former` with the named fields changed. */
export function mergeRetry(former: RetryPolicy, { retry = {}, busy = {} }: PolicyInput): RetryPolicy {
	return {
		scheduleSeconds: retry.schedule_seconds ?? former.scheduleSeconds,
		busyMaxWaitSeconds: retry.busy_max_wait_seconds ?? former.busyMaxWaitSeconds,
		coldStartSeconds: retry.cold_start_seconds ?? former.coldStartSeconds,
		statuses: retry.statuses ?? former.statuses,
		busyStatuses: busy.statuses ?? former.busyStatuses,
	};
}

export function endpointToWire(endpoint: Endpoint): Record<string, unknown> {
	const { retry } = endpoint;
	return {
		id: endpoint.id,
		name: endpoint.name,
		version: endpoint.version,
		url: endpoint.url,
		protocol: endpoint.protocol,
		model: endpoint.model,
		auth: endpoint.auth && authToWire(endpoint.auth),
		headers: endpoint.headers && headersToWire(endpoint.headers),
		timeout_seconds: endpoint.timeoutSeconds,
		max_concurrency: endpoint.maxConcurrency,
		retry: {
			schedule_seconds: retry.scheduleSeconds,
			busy_max_wait_seconds: retry.busyMaxWaitSeconds,
			cold_start_seconds: retry.coldStartSeconds,
			statuses: retry.statuses,
		},
		busy: { statuses: retry.busyStatuses },
		completion: completionToWire(endpoint),
		...statusOf(endpoint),
		unreadable: unreadableOf(endpoint),
		created_at: formatTime(endpoint.createdAt),
		updated_at: formatTime(endpoint.updatedAt),
	};
}

/**
 * For the audit log, which is kept longer than a token in a query should be: leaves
 * out the query.
 */
export function endpointToAudit(endpoint: Endpoint): Record<string, unknown> {
	return { ...endpointToWire(endpoint), url: endpoint.url.replace(/\?.*/s, `?${HIDDEN}`) };
}

/** Stored fields that cannot be read, until they are replaced; null: all can be read. */
function unreadableOf({ auth, headers, completion, signingSecrets }: Endpoint): string[] | null {
	const fields = Object.entries({ auth, headers, completion, signing_secret: signingSecrets })
		.filter(([, value]) => value === null)
		.map(([field]) => field);
	return fields.length === 0 ? null : fields;
}

function headersToWire(headers: Record<string, string>): Record<string, string> {
	return Object.fromEntries(
		Object.entries(headers).map(([name, value]) => [name, isSecretHeader(name) ? HIDDEN : value]),
	);
}
