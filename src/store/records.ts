/**
 * The resources as the router knows them: decoded from their rows, secrets decrypted. Shapes only; the queries
 * stand beside this file, the wire forms in api/. `revision` counts the changes of a row (rows.ts).
 */
import type { LiveSecret } from "../crypto/live-secret.ts";
import type { Filter } from "../events/expressions/filters.ts";
import type { Quarantine } from "../events/expressions/set-aside.ts";
import type { SourceAuth } from "./source-auth.ts";

export type { SourceAuth, SourceAuthType } from "./source-auth.ts";

/** What a source or a subscription can be; an endpoint too, which can also be disabled. */
export const STATUSES = ["active", "paused"] as const;
export type Status = (typeof STATUSES)[number];

/**
 * A subscription that was made with a key which is not for its source waits for the source's owner: requested. denied: the
 * owner said no. Neither matches an event or can be resumed.
 */
export const REQUEST_STATES = ["requested", "denied"] as const;
export type SubscriptionStatus = Status | (typeof REQUEST_STATES)[number];

export const ENDPOINT_STATUSES = [...STATUSES, "disabled"] as const;
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

/** Why an endpoint is paused or disabled: by a person, or by what it responded. A newer release may know more. */
const STATUS_REASONS = ["manual", "unauthorized", "quota", "gone"] as const;
export type StatusReason = (typeof STATUS_REASONS)[number];

export interface Source {
	/** `src_…` */
	id: string;
	name: string;
	/** A key of the source-kind registry (sources/registry.ts). */
	kind: string;
	description: string | null;
	/** Of this, of `settings` and of `secrets`, null: stored in a form that this release cannot read. */
	auth: SourceAuth | null;
	/** A literal, or JSONata over `{headers, body}` when it begins with `=`. */
	eventType: string | null;
	subject: string | null;
	/** JSONata over `{headers, body}`. */
	dedupeKey: string | null;
	/** Where nothing comes of it for longer than this, it is silent; null: nobody expects anything. */
	expectEverySeconds: number | null;
	/** What the kind asks for beyond this, as its schema says; empty for most. */
	settings: Record<string, unknown> | null;
	/** null, too: no key that is set opens them. */
	secrets: LiveSecret[] | null;
	/** paused: what publishers send is refused so that they send it again, and no queue is read. */
	status: Status;
	revision: number;
	quarantine: Quarantine | null;
	createdAt: number;
	updatedAt: number;
}

/** A source whose proof and settings are known, so that its kind can be asked. */
export type KnownSource = Source & { auth: SourceAuth; settings: Record<string, unknown> };

export function isKnown(source: Source): source is KnownSource {
	return source.auth !== null && source.settings !== null;
}

/** A source that can verify what is sent to it. */
export type ReadableSource = KnownSource & { secrets: LiveSecret[] };

export function isVerifying(source: Source): source is ReadableSource {
	return isKnown(source) && source.secrets !== null;
}

/** What the router sends along to prove itself to a model server. */
export type EndpointAuth =
	| { type: "none" }
	/** `scheme` is the word before the token; absent: Bearer. */
	| { type: "bearer"; token: string; scheme?: string | undefined }
	| { type: "basic"; username: string; password: string }
	| { type: "header"; name: string; value: string }
	/** Several at once, by name. */
	| { type: "headers"; headers: Record<string, string> }
	| AwsSigV4
	| OAuth2ClientCredentials;

/** Each request is signed with AWS Signature Version 4. Absent region and service follow from the URL's host. */
export interface AwsSigV4 {
	type: "aws_sigv4";
	accessKeyId: string;
	secretAccessKey: string;
	sessionToken?: string | undefined;
	region?: string | undefined;
	service?: string | undefined;
}

/** A token of the token endpoint is sent as the bearer token (RFC 6749, section 4.4). */
export interface OAuth2ClientCredentials {
	type: "oauth2_client_credentials";
	tokenUrl: string;
	clientId: string;
	clientSecret: string;
	scope?: string | undefined;
	audience?: string | undefined;
	/** How the client proves itself to the token endpoint; absent: basic. */
	clientAuth?: "basic" | "body" | undefined;
}

export interface RetryPolicy {
	/** Wait before attempt 2, 3, …; one more attempt than steps. */
	scheduleSeconds: readonly number[];
	/** How long a busy endpoint costs no attempt, counted from the first busy response in a row. */
	busyMaxWaitSeconds: number;
	/** How long after the first try refused connections, 502 and 504 count as a cold start. 0: never. */
	coldStartSeconds: number;
	/** Statuses that count as an error (spend an attempt, retry) whatever the table says. */
	statuses: readonly number[];
	/** Statuses that count as busy whatever the table says. */
	busyStatuses: readonly number[];
}

/**
 * Where the output of a request comes from. sync: its response; callback: a request of the server's; poll: the server,
 * when it is asked for it.
 */
export const COMPLETION_MODES = ["sync", "callback", "poll"] as const;
export type CompletionMode = (typeof COMPLETION_MODES)[number];

/** How the endpoint's outputs come, as far as its owner has said; models/completion.ts has what follows from the rest. */
export interface Completion {
	/** null: as its protocol does by default. */
	mode: CompletionMode | null;
	/** How long a job may take. */
	deadlineSeconds: number;
	/** Whether a job takes one of the slots until it ends; null: as its protocol does by default. */
	holdSlot: boolean | null;
	/** Checks the signatures of callbacks, by Standard Webhooks; null: the callback's URL is proof enough. */
	webhookSecret: string | null;
	/** Scheme and host under which callbacks reach the router, as the API was called; null: no callbacks are asked for. */
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
	/** What the server calls the model, for protocols that say it in a path or a body. */
	model: string | null;
	/** Of these, of `completion` and of `signingSecrets`, null: no key that is set opens it, or it cannot be read. */
	auth: EndpointAuth | null;
	headers: Record<string, string> | null;
	timeoutSeconds: number;
	maxConcurrency: number;
	retry: RetryPolicy;
	completion: Completion | null;
	/** `whsec_…`, newest first. */
	signingSecrets: LiveSecret[] | null;
	status: EndpointStatus;
	/** One of `STATUS_REASONS`, or what a newer release wrote; null while active. */
	statusReason: string | null;
	revision: number;
	createdAt: number;
	updatedAt: number;
}

/** An endpoint that can be sent to: nothing of what it needs for that is unreadable. */
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

/** What happens with the output. null on the subscription: it is stored and goes no further. */
export interface ResultPolicy {
	/** Event type of the result event; null: the output's own type, or `{endpoint name}.completed`. */
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
	/** As it was asked for: `ep_…`, or `name@latest`, which is resolved for each event. */
	target: { endpointId: string } | { latestOf: string };
	/** JSONata over the event; null: the event itself is sent. */
	transform: string | null;
	result: ResultPolicy | null;
	/** Unless it is active, new events are not matched; deliveries that are there already go on. */
	status: SubscriptionStatus;
	revision: number;
	quarantine: Quarantine | null;
	/**
	 * What is stored in a form that this release cannot read; absent when there is nothing. Such a subscription matches
	 * no event, and deliveries that are there wait: what it asks for is not known.
	 */
	unreadable?: readonly SubscriptionColumn[];
	createdAt: number;
	updatedAt: number;
}
