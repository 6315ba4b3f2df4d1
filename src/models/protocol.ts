/**
 * What a protocol is: how an event becomes the request of one kind of model server, and what the
 * server's response means. Each protocol is one file and one line in the registry; a protocol
 * contains nothing about Durable Objects, signing or retries. Optional members describe what a
 * server supports beyond one exchange: `jobs` (jobs/jobs.ts), `ready` and `batch` (batches/batch.ts, which nothing
 * uses yet); `sample` is for tests by hand.
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
import type { BindingScheme } from "./requests/binding-url.ts";
import type { Jobs } from "./jobs/jobs.ts";

/** The input to send. */
export interface ModelInput {
	event: SluiceEvent;
	/** JSON text of the transform's output; null if the subscription has no transform. */
	transformed: string | null;
}

/**
 * The protocol's part of a request. The sender adds signature, trace context, credentials and the
 * endpoint's headers; headers with the name of a credential are not accepted from a protocol.
 */
export interface ModelRequest {
	method: "POST" | "PUT";
	/** Must be on the origin of the endpoint's URL. */
	url: string;
	headers: Record<string, string>;
	body: string | Uint8Array<ArrayBuffer>;
}

/** Why the input does not fit the protocol's form, for the author of the transform. */
export interface Misfit {
	misfit: string;
}

export interface Protocol {
	/**
	 * Defaults of the protocol for endpoints that do not set the value; null: the general
	 * default.
	 */
	defaults: { maxConcurrency: number | null };
	/** Whether an endpoint with this URL must set `model`. */
	needsModel(url: string): boolean;
	/** The binding scheme of its URLs, which no other protocol may use; absent: HTTP URLs. */
	scheme?: BindingScheme;
	/**
	 * Why the endpoint cannot use this protocol, by field, as an error message; absent: it always can.
	 */
	refuse?(endpoint: { url: string; authType: string }): { field: "url" | "auth"; message: string } | null;
	request(input: ModelInput, context: RequestContext): ModelRequest | Misfit;
	/** Called for every response except a 2xx whose body could not be read. */
	read(exchange: Exchange, context: ReadContext): Reading;
	/** Jobs whose output comes later; absent: the server has none. */
	jobs?: Jobs;
	/** Several inputs in one request; absent: each is sent alone. */
	batch?: Batch;
	/** How to ask whether the model is ready; absent: not supported. */
	ready?: Probe;
	/**
	 * A small JSON value that most of its servers accept as input, for tests by hand; absent: an
	 * object with a text.
	 */
	sample?: unknown;
}

/** How to ask a server whether its model is ready. */
export interface Probe {
	request(context: ProbeContext): StepRequest;
	/**
	 * null: the response does not say, for example because the server has no such
	 * path.
	 */
	isReady(response: ModelResponse, context: ProbeContext): boolean | null;
}

export type ProbeContext = Pick<RequestContext, "url" | "model">;

/** How the inputs of several deliveries share a request. batches/batch.ts has the limits. */
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
