/**
 * The types of the resources, decoded from their rows, with decrypted secrets. Types only; the queries are in the other
 * files of this folder, the wire forms in api/. `revision` counts the changes of a row (rows.ts).
 */
import type { LiveSecret } from "../crypto/live-secret.ts";
import type { Filter } from "../events/expressions/filters.ts";
import type { Quarantine } from "../events/expressions/set-aside.ts";
import type { SourceAuth } from "./resources/source-auth.ts";

export type { SourceAuth, SourceAuthType } from "./resources/source-auth.ts";

/** The statuses of sources and subscriptions. An endpoint can also be disabled. */
export const STATUSES = ["active", "paused"] as const;
export type Status = (typeof STATUSES)[number];

/**
 * requested: the subscription was created with a key that does not cover its source, and waits for the source's owner.
 * denied: the owner has rejected it. Neither matches events or can be resumed.
 */
export const REQUEST_STATES = ["requested", "denied"] as const;
export const SUBSCRIPTION_STATUSES = [...STATUSES, ...REQUEST_STATES] as const;
export type SubscriptionStatus = (typeof SUBSCRIPTION_STATUSES)[number];

export const ENDPOINT_STATUSES = [...STATUSES, "disabled"] as const;
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

/** Why an endpoint is paused or disabled: by a person, or because of its responses. A newer release may add more. */
const STATUS_REASONS = ["manual", "unauthorized", "quota", "gone"] as const;
export type StatusReason = (typeof STATUS_REASONS)[number];

export interface Source {
	/** `src_…` */
	id: string;
	name: string;
	/** A key of the source-kind registry (sources/registry.ts). */
	kind: string;
	description: string | null;
	/** For this field, `settings` and `secrets`, null means: stored in a form that this release cannot read. */
	auth: SourceAuth | null;
	/** A literal, or JSONata over `{headers, body}` if it begins with `=`. */
	eventType: string | null;
	subject: string | null;
	/** JSONata over `{headers, body}`. */
	dedupeKey: string | null;
	/** The source is silent if it sends no event for longer than this. null: no expectation. */
	expectEverySeconds: number | null;
	/** Its events are tests: marked, and only for subscriptions that name the source (events/test-mark.ts). */
	isTest: boolean;
	/** Additional settings of the kind, by its schema. Empty for most kinds. */
	settings: Record<string, unknown> | null;
	/** null also means that no configured key decrypts them. */
	secrets: LiveSecret[] | null;
	/** paused: requests are refused so that publishers retry, and queues are not read. */
	status: Status;
	revision: number;
	quarantine: Quarantine | null;
	createdAt: number;
	updatedAt: number;
}

/** A source with readable auth and settings, as its kind needs them. */
export type KnownSource = Source & { auth: SourceAuth; settings: Record<string, unknown> };

export function isKnown(source: Source): source is KnownSource {
	return source.auth !== null && source.settings !== null;
}

/** A source that can verify requests. */
export type ReadableSource = KnownSource & { secrets: LiveSecret[] };

export function isVerifying(source: Source): source is ReadableSource {
	return isKnown(source) && source.secrets !== null;
}

/** How the router authenticates to a model server. */
export type EndpointAuth =
	| { type: "none" }
	/** `scheme` is the word before the token. Absent: Bearer. */
	| { type: "bearer"; token: string; scheme?: string | undefined }
	| { type: "basic"; username: string; password: string }
	| { type: "header"; name: string; value: string }
	/** Several headers, by name. */
	| { type: "headers"; headers: Record<string, string> }
	| AwsSigV4
	| OAuth2ClientCredentials;

/** Signs each request with AWS Signature Version 4. Absent region and service are derived from the URL's host. */
export interface AwsSigV4 {
	type: "aws_sigv4";
	accessKeyId: string;
	secretAccessKey: string;
	sessionToken?: string | undefined;
	region?: string | undefined;
	service?: string | undefined;
}

/** Sends an access token from the token endpoint as the bearer token (RFC 6749, section 4.4). */
export interface OAuth2ClientCredentials {
	type: "oauth2_client_credentials";
	tokenUrl: string;
	clientId: string;
	clientSecret: string;
	scope?: string | undefined;
	audience?: string | undefined;
	/** How the client authenticates to the token endpoint. Absent: basic. */
	clientAuth?: "basic" | "body" | undefined;
}

export interface RetryPolicy {
	/** The waits before attempts 2, 3, … There is one more attempt than waits. */
	scheduleSeconds: readonly number[];
	/** How long busy responses spend no attempt, counted from the first of consecutive busy responses. */
	busyMaxWaitSeconds: number;
	/** How long after the first try refused connections, 502 and 504 count as a cold start. 0: never. */
	coldStartSeconds: number;
	/** Statuses that always count as an error (spend an attempt, retry), regardless of the table. */
	statuses: readonly number[];
	/** Statuses that always count as busy, regardless of the table. */
	busyStatuses: readonly number[];
}

/**
 * How the router gets the output of a request. sync: in the response. callback: in a request from the server. poll: by
 * requests to the server.
 */
export const COMPLETION_MODES = ["sync", "callback", "poll"] as const;
export type CompletionMode = (typeof COMPLETION_MODES)[number];

/** The configured completion of an endpoint; models/completion.ts derives the defaults. */
export interface Completion {
	/** null: the default of its protocol. */
	mode: CompletionMode | null;
	/** How long a job may take. */
	deadlineSeconds: number;
	/** Whether a job occupies a slot until it ends. null: the default of its protocol. */
	holdSlot: boolean | null;
	/** Verifies Standard Webhooks signatures of callbacks. null: the token in the callback URL suffices. */
	webhookSecret: string | null;
	/** Scheme and host for callback URLs, taken from the API request. null: callbacks are not used. */
	callbackOrigin: string | null;
}

export interface Endpoint {
	/** `ep_…` */
	id: string;
	name: string;
	version: string;
	url: string;
	/** A key of the protocol registry (models/). */
	protocol: string;
	/** The server's name of the model, for protocols that send it in a path or body. */
	model: string | null;
	/**
	 * For this and the other secret fields, null means: no configured key decrypts it, or this release cannot read it.
	 */
	auth: EndpointAuth | null;
	headers: Record<string, string> | null;
	timeoutSeconds: number;
	maxConcurrency: number;
	retry: RetryPolicy;
	completion: Completion | null;
	/** `whsec_…`, newest first. */
	signingSecrets: LiveSecret[] | null;
	status: EndpointStatus;
	/** One of `STATUS_REASONS`, or a value of a newer release. null while active. */
	statusReason: string | null;
	revision: number;
	createdAt: number;
	updatedAt: number;
}

/** An endpoint that requests can be sent to: all fields needed for that are readable. */
export type ReadableEndpoint = Endpoint & {
	auth: EndpointAuth;
	headers: Record<string, string>;
	completion: Completion;
	signingSecrets: LiveSecret[];
};

export function isReadable(endpoint: Endpoint): endpoint is ReadableEndpoint {
	const { auth, headers, completion, signingSecrets } = endpoint;
	return auth !== null && headers !== null && completion !== null && signingSecrets !== null;
}

/** What happens with the output. null on the subscription: the output is stored but not published. */
export interface ResultPolicy {
	/** The type of the result event. null: the output's own type, or `{endpoint name}.completed`. */
	type: string | null;
	/** JSONata over `{event, result}`. */
	transform: string | null;
	maxHops: number;
	allowCycles: boolean;
}

/** The fields of a subscription that are stored as JSON. */
export type SubscriptionColumn = "types" | "filters" | "result";

export interface Subscription {
	/** `sub_…` */
	id: string;
	name: string;
	/** `src_…`, or null for events of every source. */
	sourceId: string | null;
	/** Exact types, or prefixes ending in `*`; empty matches every type. */
	types: readonly string[];
	filters: readonly Filter[];
	/** As requested: `ep_…`, or `name@latest`, which is resolved for each event. */
	target: { endpointId: string } | { latestOf: string };
	/** JSONata over the event. null: the event itself is sent. */
	transform: string | null;
	result: ResultPolicy | null;
	/** If not active, new events are not matched. Existing deliveries continue. */
	status: SubscriptionStatus;
	revision: number;
	quarantine: Quarantine | null;
	/**
	 * The fields that this release cannot read; absent if there are none. Such a subscription matches no event, and its
	 * existing deliveries wait.
	 */
	unreadable?: readonly SubscriptionColumn[];
	createdAt: number;
	updatedAt: number;
}
