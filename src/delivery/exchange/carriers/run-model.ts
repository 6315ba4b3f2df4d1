/**
 * One run of a Workers AI model. Its output becomes a response with status 200. An error becomes a
 * response with the status that Cloudflare's REST API uses for it, with a body of the same form: {
 * "errors": [{ "code", "message" }] }.
 * https://developers.cloudflare.com/workers-ai/platform/errors/
 */
import { Buffer } from "node:buffer";
import type { AiBinding } from "../../../env.ts";
import { mediaTypeOf } from "../../../models/responses/media-signature.ts";
import type { AttemptResult, Body } from "../../rules/attempt.ts";
import { tooLarge } from "../response/coding.ts";
import { timedOut, within } from "./deadline.ts";
import { describeFetchError } from "./network-error.ts";
import { readResponse } from "../response/read-response.ts";
import type { SendOptions } from "./send.ts";

const STATUSES = new Map([
	[3003, 400],
	[3006, 413],
	[3007, 408],
	[3008, 408],
	[3023, 403],
	[3036, 429],
	[3039, 400],
	[3040, 429],
	[3041, 403],
	[3042, 404],
	[3046, 408],
	// Observed, but not in the table: the daily allocation is used up.
	[4006, 429],
	[5004, 400],
	[5005, 405],
	// The input does not match the model's schema.
	[5006, 400],
	[5007, 400],
	[5016, 403],
	[5018, 403],
	[5019, 405],
	// More tokens than the model accepts.
	[5021, 413],
]);
const CAPACITY = 3040;

/** `input` is JSON. Never throws. */
export async function runModel(
	ai: AiBinding,
	model: string,
	input: Uint8Array,
	{ timeoutMs, maxBodyBytes }: SendOptions,
): Promise<AttemptResult> {
	const startedAt = Date.now();
	try {
		const inputs: unknown = JSON.parse(new TextDecoder().decode(input));
		const ran = await within(timeoutMs, async (signal) => {
			// Without rejectIfBusy a run would wait for capacity, and the endpoint's gates would
			// not notice.
			const output = await ai.run(model, inputs, { rejectIfBusy: true, signal });
			return toResponse(output, { maxBytes: maxBodyBytes, deadline: signal, timeoutMs });
		});
		if (ran === null) return timedOut(timeoutMs, startedAt);
		return { kind: "response", ...ran.value, durationMs: Date.now() - startedAt };
	} catch (error) {
		return { ...failureOf(error), durationMs: Date.now() - startedAt };
	}
}

type Responded = Omit<Extract<AttemptResult, { kind: "response" }>, "kind" | "durationMs" | "secrets">;
type ReadOptions = Parameters<typeof readResponse>[1];

/**
 * Models return a value; those for images and sound return bytes or a stream of them.
 */
async function toResponse(output: unknown, options: ReadOptions): Promise<Responded> {
	if (output instanceof Response) {
		const { status } = output;
		return { status, headers: Object.fromEntries(output.headers), ...(await readResponse(output, options)) };
	}
	if (output instanceof ReadableStream) {
		const stream = until(options.deadline, output as ReadableStream<Uint8Array>);
		return withType(null, await readResponse(new Response(stream), options));
	}
	const bytes = bytesOf(output);
	if (bytes !== null) return withType(null, bounded(bytes, options.maxBytes));
	const isText = typeof output === "string";
	const text = isText ? output : JSON.stringify(output ?? null);
	const type = isText ? "text/plain; charset=utf-8" : "application/json";
	return withType(type, bounded(Buffer.from(text), options.maxBytes));
}

/** Stops the stream at the deadline, because nothing waits for it any more. */
function until(deadline: AbortSignal, stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
	const reader = stream.getReader();
	deadline.addEventListener("abort", () => void reader.cancel().catch(() => {}), { once: true });
	return new ReadableStream({
		async pull(controller) {
			const { done, value } = await reader.read();
			if (done) controller.close();
			else controller.enqueue(value);
		},
		cancel: (reason) => reader.cancel(reason),
	});
}

function bytesOf(output: unknown): Uint8Array<ArrayBuffer> | null {
	if (output instanceof ArrayBuffer) return new Uint8Array(output);
	if (!ArrayBuffer.isView(output)) return null;
	return new Uint8Array(new Uint8Array(output.buffer, output.byteOffset, output.byteLength));
}

function bounded(body: Uint8Array<ArrayBuffer>, maxBytes: number): Body {
	if (body.length <= maxBytes) return { body, failure: null };
	const message = tooLarge(body.length, maxBytes);
	return { body: body.slice(0, maxBytes), failure: { error: "too_large", message } };
}

function withType(type: string | null, body: Body): Responded {
	const known = type ?? mediaTypeOf(body.body);
	return { status: 200, headers: known === null ? {} : { "content-type": known }, ...body };
}

type Failed =
	| ({ kind: "response" } & Responded)
	| Omit<Extract<AttemptResult, { kind: "no_response" }>, "durationMs">;

function failureOf(error: unknown): Failed {
	const message = error instanceof Error ? error.message : String(error);
	const code = codeIn(message);
	const lost = describeFetchError(error);
	if (code === null && lost.error !== "network") return { kind: "no_response", ...lost };
	const body = JSON.stringify({ errors: [{ code, message }] });
	return {
		kind: "response",
		status: (code === null ? undefined : STATUSES.get(code)) ?? 500,
		headers: { "content-type": "application/json" },
		body: Buffer.from(body),
		failure: null,
	};
}

/** `3040: Capacity temporarily exceeded, please try again.`, possibly with a word before it. */
function codeIn(message: string): number | null {
	const code = /(?:^|\s)(\d{4}): /.exec(message)?.[1];
	if (code !== undefined) return Number(code);
	return /capacity temporarily exceeded/i.test(message) ? CAPACITY : null;
}
