/**
 * What the Worker is given: the bindings of wrangler.toml, and the secrets and vars an operator may set. It names
 * interfaces only, so that every room may import it.
 */
import type { HandRpc } from "./delivery/hands/job.ts";
import type { DispatcherRpc } from "./delivery/rpc.ts";
import type { EventLogRpc } from "./events/log/rpc.ts";
import type { PullerRpc } from "./ingest/queues/rpc.ts";
import type { WatchRpc } from "./ingest/silence/rpc.ts";

/** A binding to Workers AI, as far as it is used. */
export interface AiBinding {
	run(
		model: string,
		input: unknown,
		options: { rejectIfBusy: boolean; signal: AbortSignal },
	): Promise<unknown>;
}

export interface Env {
	/** Truth for sources, endpoints and subscriptions. */
	DB: D1Database;
	/** Read cache of source configuration for ingest; D1 is the truth. */
	SOURCES: KVNamespace;
	EVENTS: Queue<string>;
	EVENTS_DLQ: Queue<string>;
	EVENT_LOG: DurableObjectNamespace<EventLogRpc>;
	DISPATCHER: DurableObjectNamespace<DispatcherRpc>;
	/** Carry out exchanges for dispatchers, by `ep_…/n`. */
	HAND: DurableObjectNamespace<HandRpc>;
	PULLER: DurableObjectNamespace<PullerRpc>;
	WATCH: DurableObjectNamespace<WatchRpc>;
	/**
	 * For endpoints of Workers AI; there only when wrangler.toml has it. Queues and VPC services of endpoints are bound
	 * under names of the operator's (delivery/exchange/bindings.ts).
	 */
	AI?: AiBinding;
	/** The root API key. While it is unset, everything but /healthz is closed. */
	ADMIN_TOKEN?: string;
	/** Keys for stored secrets, comma separated: the first encrypts, all decrypt. Unset: derived from ADMIN_TOKEN. */
	ENCRYPTION_KEY?: string;
	/** For how long the router goes by one reading of the routing table's version, and a change waits; default 250. */
	ROUTING_MAX_AGE_MS?: string;
	/** How many requests may come of the result of one delivery of a publisher's event; default 100. */
	RESULT_BUDGET?: string;
	/** Names of this router, comma separated; unset: those under which it has been called. */
	OWN_HOSTS?: string;
	/** "true" lets endpoints be http and on private hosts; for development only. */
	ALLOW_PRIVATE_ENDPOINTS?: string;
}

declare global {
	namespace Cloudflare {
		// Makes `env` of "cloudflare:workers" carry these types.
		interface Env extends SluiceEnv {}
	}
}
type SluiceEnv = Env;
