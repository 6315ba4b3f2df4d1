/**
 * One HTTP exchange with an endpoint: the only place from which the router calls a model server. It never throws
 * and never waits longer than its deadline; what the result means is decided in classify.ts.
 */
import type { AttemptResult, NetworkError, OutgoingRequest } from "./attempt.ts";

/** The largest response body that is read: 1 MB (2^20 bytes), after decompression. */
export const MAX_RESPONSE_BYTES = 1_048_576;

export interface SendOptions {
	/** For connecting, headers and body together. */
	timeoutMs: number;
	maxBodyBytes: number;
}

/** How far the exchange had come when it failed. */
export type Phase = "connecting" | "reading";

/** Sends `request` and reads the whole response. Redirects are answers like any other, and never followed. */
export async function send(request: OutgoingRequest, options: SendOptions): Promise<AttemptResult> {
	const startedAt = Date.now();
	// A timer of our own, because AbortSignal.timeout cannot be stopped, and a pending timer keeps a Durable
	// Object in memory, billed, until it fires.
	const deadline = new AbortController();
	const timer = setTimeout(() => deadline.abort(), options.timeoutMs);
	const failed = (error: NetworkError, message: string): AttemptResult => {
		deadline.abort();
		return { kind: "no_response", error, message, durationMs: Date.now() - startedAt };
	};
	let phase: Phase = "connecting";
	try {
		const { url, method, headers, body } = request;
		const response = await fetch(url, {
			method,
			headers,
			body,
			redirect: "manual",
			signal: deadline.signal,
		});
		phase = "reading";
		const answer = await readBody(response, options.maxBodyBytes);
		if (answer === null) {
			return failed("too_large", `The body of the answer is larger than ${options.maxBodyBytes} bytes.`);
		}
		return {
			kind: "response",
			status: response.status,
			headers: Object.fromEntries(response.headers),
			body: answer,
			durationMs: Date.now() - startedAt,
		};
	} catch (error) {
		if (deadline.signal.aborted) return failed("timeout", describeTimeout(phase, options.timeoutMs));
		const { error: kind, message } = describeNetworkError(error, phase);
		return failed(kind, message);
	} finally {
		clearTimeout(timer);
	}
}

/** The body, or null as soon as it is known to be longer than `maxBytes`. The caller then aborts the exchange. */
async function readBody(response: Response, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | null> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of response.body ?? []) {
		size += chunk.byteLength;
		if (size > maxBytes) return null;
		chunks.push(chunk);
	}
	const body = new Uint8Array(size);
	let offset = 0;
	for (const chunk of chunks) {
		body.set(chunk, offset);
		offset += chunk.byteLength;
	}
	return body;
}

function describeTimeout(phase: Phase, timeoutMs: number): string {
	const missing = phase === "connecting" ? "No answer" : "The answer was not complete";
	return `${missing} within ${timeoutMs / 1000} s.`;
}

/**
 * What an error thrown by `fetch`, or by reading its body, stands for. Workerd has no error codes for this, so its
 * messages are matched whole; they are quoted in the test. On Cloudflare's network a refused connection, a failed
 * lookup or handshake come as responses instead, with statuses 520 to 530.
 */
export function describeNetworkError(error: unknown, phase: Phase): { error: NetworkError; message: string } {
	const said = error instanceof Error ? error.message : String(error);
	if (phase === "reading") {
		const lost = said === "Network connection lost." || said.endsWith("decompression failed.");
		return lost
			? { error: "cut_off", message: `The answer broke off before its end: ${said}` }
			: { error: "network", message: said };
	}
	if (said === "Network connection lost.") {
		return {
			error: "connection_lost",
			message: "The connection was refused, or closed before an answer began.",
		};
	}
	if (said.startsWith("internal error")) {
		return { error: "unreachable", message: `The name does not resolve, or TLS failed: ${said}` };
	}
	return { error: "network", message: said };
}
