/**
 * Protocol `open-inference` (V2): KServe, Triton, MLServer, Seldon. An object becomes one named
 * tensor for each of its members, anything else the tensor `input-0`. The output is the whole
 * response document, with its digits unchanged.
 */
import { DATATYPES, makeTensor, type Tensor } from "../../events/tensor.ts";
import { endsWith, inPath, under, withEnd } from "../requests/address.ts";
import { JSON_HEADERS, NO_DATA, payloadOf, valueOf } from "../requests/input.ts";
import { openInferenceBatch } from "../batches/open-inference-batch.ts";
import { readData } from "../responses/output.ts";
import type { Exchange, Reading } from "../exchange.ts";
import type { Misfit, Protocol } from "../protocol.ts";
import {
	ask,
	errorTextOf,
	isObject,
	isSuccess,
	objectIn,
	reading,
	requestIdOf,
	stringOf,
} from "../responses/reading.ts";

const CALL = /\/v2\/models\/.+\/infer$/;
const DEFAULT_INPUT = "input-0";
const MEMBERS = new Set(["name", "shape", "datatype", "parameters", "data"]);

export const openInference: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: (url) => !endsWith(url, CALL),
	request(input, { url, model, deliveryId }) {
		const value = valueOf(input);
		if (value === null) return NO_DATA;
		const isBytes = payloadOf(input)?.kind === "binary";
		const made = isBytes ? { inputs: [bytesTensor(value)] } : contentOf(value);
		if ("misfit" in made) return made;
		return {
			method: "POST",
			url: endsWith(url, CALL) ? url : under(url, `/v2/models/${inPath(model ?? "")}/infer`),
			headers: JSON_HEADERS,
			body: JSON.stringify({ id: deliveryId, ...made }),
		};
	},
	read(exchange) {
		// MLServer and KServe return the request's id as `id` in the body, and send no header with
		// one.
		const requestId = requestIdOf(exchange) ?? stringOf(objectIn(exchange)?.["id"]);
		if (!isSuccess(exchange)) return reading({ ...failureOf(exchange), requestId });
		// MLServer labels its responses as events of an old version, which contain nothing beyond the
		// body.
		const version = stringOf(objectIn(exchange)?.["model_version"]);
		return reading({ output: readData(exchange), modelVersion: version, requestId });
	},
	ready: {
		// The readiness of the model, never of the server: KServe reports itself ready while the model is
		// not registered.
		request: ({ url, model }) =>
			ask(withEnd(url, /\/infer$/, "/ready") ?? under(url, `/v2/models/${inPath(model ?? "")}/ready`)),
		// MLServer reports it by the status alone.
		isReady: (response) => isSuccess(response) && objectIn(response)?.["ready"] !== false,
	},
	batch: openInferenceBatch((input, context) => openInference.request(input, context)),
	sample: [5.1, 3.5, 1.4, 0.2],
};

/**
 * What servers of V1 and V2 report beyond the status, to distinguish a model that is not loaded yet
 * from a bad input.
 */
export function failureOf(exchange: Exchange): Pick<Reading, "class" | "scope" | "error"> {
	const { status, isStarting } = exchange;
	const error = errorTextOf(exchange);
	// MLServer responds 400, KServe 503; both are about the model, not about this request.
	const isLoading =
		(status === 400 && /\bis not ready yet\b/i.test(error ?? "")) ||
		(status === 503 && /\bis not ready\b/i.test(error ?? ""));
	// A model that is not registered yet; a wrong name looks the same and must not wait for ever.
	if (isLoading || (status === 404 && isStarting)) return { class: "busy", scope: "endpoint", error };
	// The server does not support this, as KServe does not support versions: it will not work later
	// either.
	return { class: status === 501 ? "bad_input" : null, scope: null, error };
}

interface Content {
	inputs: unknown[];
	outputs?: unknown;
	parameters?: unknown;
}

function contentOf(value: unknown): Content | Misfit {
	const alone = isWholeTensor(value) ? [value] : value;
	if (Array.isArray(alone) && alone.length > 0 && alone.every(isWholeTensor)) {
		return { inputs: alone.map((tensor, at) => ({ name: `input-${at}`, ...asLists(tensor) })) };
	}
	if (!isObject(value)) return named([[DEFAULT_INPUT, value]]);
	const own = isTensor(value["inputs"]) ? [value["inputs"]] : value["inputs"];
	if (Array.isArray(own) && own.length > 0 && own.every(isTensor)) {
		const { outputs, parameters } = value;
		return {
			inputs: own.map(asLists),
			...(outputs !== undefined && { outputs: listOf(outputs) }),
			...(parameters !== undefined && { parameters }),
		};
	}
	const members = Object.entries(value).filter(([, member]) => member !== null);
	return members.length === 0
		? { misfit: "the object has no member with a value that could become a tensor" }
		: named(members);
}

/** Servers that know this parameter decode the bytes, as MLServer does; the others get them in base64. */
function bytesTensor(base64: unknown): Record<string, unknown> {
	const parameters = { content_type: "base64" };
	return { name: DEFAULT_INPUT, shape: [1], datatype: "BYTES", parameters, data: [base64] };
}

function named(members: readonly (readonly [string, unknown])[]): Content | Misfit {
	const inputs: unknown[] = [];
	for (const [name, value] of members) {
		const made = isMadeTensor(value) ? { ok: true as const, tensor: value } : makeTensor(value);
		if (!made.ok) return { misfit: `${JSON.stringify(name)} is not a tensor: ${made.message}` };
		inputs.push({ name, ...asLists({ ...made.tensor }) });
	}
	return { inputs };
}

/** A value made by `$tensor`; the member's name replaces its own. */
function isMadeTensor(value: unknown): value is Record<string, unknown> & Tensor {
	return isObject(value) && "shape" in value && "datatype" in value && "data" in value;
}

/** A tensor in place of an object of tensors: it has nothing but the members of one. */
function isWholeTensor(value: unknown): value is Record<string, unknown> & Tensor {
	if (!isMadeTensor(value) || !Object.keys(value).every((name) => MEMBERS.has(name))) return false;
	return typeof value.datatype === "string" && DATATYPES.includes(value.datatype);
}

function isTensor(value: unknown): value is Record<string, unknown> {
	return isMadeTensor(value) && "name" in value;
}

/** An expression turns a list of one item into a single value. */
function asLists<T extends Record<string, unknown>>(tensor: T): T {
	return { ...tensor, shape: listOf(tensor["shape"]), data: listOf(tensor["data"]) };
}

function listOf(value: unknown): unknown[] {
	return Array.isArray(value) ? value : [value];
}
