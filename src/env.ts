/**
 * The Worker's environment: the bindings of wrangler.toml, and the secrets and vars an operator may set. It contains
 * only interfaces, so that every room may import it.
 */
import type { DeadLettersRpc } from "./dead-letters/rpc.ts";
import type { BulkJobRpc } from "./delivery/bulk/rpc.ts";
import type { HandRpc } from "./delivery/hands/job.ts";
import type { DispatcherRpc } from "./delivery/rpc.ts";
import type { EventLogRpc } from "./events/log/rpc.ts";
import type { PullerRpc } from "./ingest/queues/rpc.ts";
import type { WatchRpc } from "./ingest/silence/rpc.ts";

/** The part of a Workers AI binding that the router uses. */
export interface AiBinding {
	run(
		model: string,
		input: unknown,
		options: { rejectIfBusy: boolean; signal: AbortSignal },
	): Promise<unknown>;
}

export interface Env {
	/** The source of truth for sources, endpoints and subscriptions. */
	DB: D1Database;
	/** Read cache of source configuration for ingest; D1 is the truth. */
	SOURCES: KVNamespace;
	EVENTS: Queue<string>;
	EVENTS_DLQ: Queue<string>;
	EVENT_LOG: DurableObjectNamespace<EventLogRpc>;
	DISPATCHER: DurableObjectNamespace<DispatcherRpc>;
	/** Objects that carry out exchanges for dispatchers, named `ep_…/n`. */
	HAND: DurableObjectNamespace<HandRpc>;
	/** Bulk retries and cancellations of deliveries, named `bulk_…`. */
	BULK_JOB: DurableObjectNamespace<BulkJobRpc>;
	DEAD_LETTERS: DurableObjectNamespace<DeadLettersRpc>;
	PULLER: DurableObjectNamespace<PullerRpc>;
	WATCH: DurableObjectNamespace<WatchRpc>;
	/**
	 * For Workers AI endpoints; present only when wrangler.toml configures it. The operator chooses the binding names
	 * of the queues and VPC services that endpoints use (delivery/exchange/carriers/bindings.ts).
	 */
	AI?: AiBinding;
	/** The root API key. While it is unset, every route except /healthz returns 503. */
	ADMIN_TOKEN?: string;
	/** Keys for stored secrets, comma separated: the first encrypts, all decrypt. Unset: derived from ADMIN_TOKEN. */
	ENCRYPTION_KEY?: string;
	/**
	 * How long the router caches the routing table's version, and so how long a change may take, in ms; default 250.
	 */
	ROUTING_MAX_AGE_MS?: string;
	/** How many requests the result of one delivery of a publisher's event may cause; default 100. */
	RESULT_BUDGET?: string;
	/** Host names of this router, comma separated. Unset: the host names that requests to it have used. */
	OWN_HOSTS?: string;
	/** "true" allows endpoints with http URLs and private hosts; for development only. */
	ALLOW_PRIVATE_ENDPOINTS?: string;
}

declare global {
	namespace Cloudflare {
		// Makes `env` of "cloudflare:workers" carry these types.
		interface Env extends SluiceEnv {}
	}
}
type SluiceEnv = Env;
