/**
 * What a protocol is: how an event becomes the request of one kind of model server, and what the server's response
 * means. Each protocol is one file and one line in the registry; none of them knows of Durable Objects, signing or
 * retries. What a server can do beyond one exchange is a further member that a protocol may have: `jobs` (jobs.ts) and
 * `ready`.
 */
import type { SluiceEvent } from "../events/event.ts";
import type {
	Exchange,
	ModelOutput,
	ModelResponse,
	ReadContext,
	Reading,
	RequestContext,
	StepRequest,
} from "./exchange.ts";
import type { BindingScheme } from "./binding-url.ts";
import type { Jobs } from "./jobs.ts";

/** What is to be sent. */
export interface ModelInput {
	event: SluiceEvent;
	/** JSON text of the transform's value; null when the subscription has no transform. */
	transformed: string | null;
}

/**
 * The protocol's part of a request. The sender adds signature, trace context, credentials and the endpoint's headers;
 * a header whose name says that it holds a credential is not taken from a protocol.
 */
export interface ModelRequest {
	method: "POST" | "PUT";
	/** On the origin of the endpoint's URL. */
	url: string;
	headers: Record<string, string>;
	body: string | Uint8Array<ArrayBuffer>;
}

/** Why the input cannot be put into the protocol's form, for whoever writes the transform. */
export interface Misfit {
	misfit: string;
}

export interface Protocol {
	/** What an endpoint gets that does not say it itself; null: what any endpoint gets. */
	defaults: { maxConcurrency: number | null };
	/** Whether an endpoint with this URL has to name its model. */
	needsModel(url: string): boolean;
	/** The URLs that it is spoken through, where those are of a binding, and nobody else's; absent: URLs of HTTP. */
	scheme?: BindingScheme;
	/** Why the endpoint cannot be one of this protocol, by field; absent: it always can. For whoever sets it. */
	refuse?(endpoint: { url: string; authType: string }): { field: "url" | "auth"; message: string } | null;
	request(input: ModelInput, context: RequestContext): ModelRequest | Misfit;
	/** Asked for every response but a 2xx whose body could not be read. */
	read(exchange: Exchange, context: ReadContext): Reading;
	/** Jobs whose output comes later; absent: the server has none. */
	jobs?: Jobs;
	/** Several inputs in one request; absent: each is sent alone. */
	batch?: Batch;
	/** Whether the model can be asked if it is ready; absent: it cannot. */
	ready?: Probe;
	/** A small JSON value that most of its servers take as input, for tests by hand; absent: an object with a text. */
	sample?: unknown;
}

/** How a server is asked whether its model is ready. */
export interface Probe {
	request(context: ProbeContext): StepRequest;
	/** null: the response does not say, as one of a server that has no such path. */
	isReady(response: ModelResponse, context: ProbeContext): boolean | null;
}

export type ProbeContext = Pick<RequestContext, "url" | "model">;

/** How the inputs of several deliveries share a request. batch.ts has the limits. */
export interface Batch {
	/** Inputs with equal keys may share a request; null: this one is sent alone. */
	key(input: ModelInput, context: RequestContext): string | null;
	/**
	 * One request of inputs that have the same key. The context is that of the first delivery, whose id the request gets.
	 * A misfit where the keys differ, or the inputs are too many or too large.
	 */
	join(inputs: readonly ModelInput[], context: RequestContext): ModelRequest | Misfit;
	/**
	 * The outputs in the order of the inputs, each as the response to that input alone would have it. `read` says whether
	 * the response is a success, and what the whole request has used. null: the response has not one output for each, and
	 * the deliveries have to be sent singly.
	 */
	split(exchange: Exchange, count: number): ModelOutput[] | null;
}
