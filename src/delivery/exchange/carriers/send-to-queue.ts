/**
 * Sends one message to a Cloudflare queue. The outcome is converted to a response, so that it is
 * judged like any other.
 */
import { Buffer } from "node:buffer";
import { parseWithRawNumbers } from "../../../events/json/parse.ts";
import type { AttemptResult, OutgoingRequest } from "../../rules/attempt.ts";
import type { QueueBinding } from "./bindings.ts";
import { timedOut, within } from "./deadline.ts";
import { describeFetchError } from "./network-error.ts";

/** Error messages of queues, and the matching status. */
const REFUSALS: readonly (readonly [RegExp, number])[] = [
	[/too many requests|overloaded|rate limit/i, 429],
	[/too large|exceeds|payload too/i, 413],
];

/** 204 if the queue has stored the message. Never throws. */
export async function sendToQueue(
	queue: QueueBinding,
	{ headers, body }: Pick<OutgoingRequest, "headers" | "body">,
	{ timeoutMs }: { timeoutMs: number },
): Promise<AttemptResult> {
	const startedAt = Date.now();
	try {
		// A byte order mark is part of a text.
		const text = new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(body ?? new Uint8Array());
		const isText = headers["content-type"]?.startsWith("text/") === true;
		const sent = await within(timeoutMs, () =>
			isText
				? queue.send(text, { contentType: "text" })
				: queue.send(parseWithRawNumbers(text), { contentType: "json" }),
		);
		return sent === null ? timedOut(timeoutMs, startedAt) : respond(204, "", startedAt);
	} catch (error) {
		const said = error instanceof Error ? error.message : String(error);
		const status = REFUSALS.find(([pattern]) => pattern.test(said))?.[1];
		if (status !== undefined) return respond(status, said, startedAt);
		return { kind: "no_response", ...describeFetchError(error), durationMs: Date.now() - startedAt };
	}
}

function respond(status: number, text: string, startedAt: number): AttemptResult {
	return {
		kind: "response",
		status,
		headers: text === "" ? {} : { "content-type": "text/plain; charset=utf-8" },
		body: Buffer.from(text),
		failure: null,
		durationMs: Date.now() - startedAt,
	};
}
