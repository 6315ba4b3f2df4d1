/**
 * Protocol `openai-chat`: chat completions of OpenAI and compatible servers. A text is the user's
 * message, a list of messages the conversation, an object with `messages` the request itself;
 * anything else is sent as its JSON. Never requests a stream; if a server streams anyway, the
 * chunks are joined.
 */
import { endsWith } from "../requests/address.ts";
import { joinChunks } from "../responses/chat-stream.ts";
import { isEventStream } from "../responses/event-stream.ts";
import { JSON_HEADERS, NO_BYTES, NO_DATA, payloadOf, valueOf } from "../requests/input.ts";
import { callUrl, factsOf, insideSuccess, listsModel, refusalOf } from "../families/openai.ts";
import { readData } from "../responses/output.ts";
import type { Exchange, Reading } from "../exchange.ts";
import type { Protocol } from "../protocol.ts";
import { isObject, objectIn, reading, requestIdOf, textOf } from "../responses/reading.ts";

const CALL = /\/chat\/completions$/;
const STREAM = /^\s*(?:text\/event-stream|application\/(?:x-ndjson|jsonl))\b/i;

export const openaiChat: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: (url) => !endsWith(url, CALL),
	request(input, { url, model }) {
		if (payloadOf(input)?.kind === "binary") return NO_BYTES;
		const value = valueOf(input);
		if (value === null) return NO_DATA;
		return {
			method: "POST",
			url: callUrl(url, "/chat/completions", endsWith(url, CALL)),
			headers: JSON_HEADERS,
			body: JSON.stringify({ ...contentOf(value), ...(model !== null && { model }), stream: false }),
		};
	},
	read(exchange) {
		const refusal = refusalOf(exchange);
		if (refusal !== null) return refusal;
		if (isStream(exchange)) return readStream(exchange);
		return reading({ output: readData(exchange), ...factsOf(objectIn(exchange), exchange) });
	},
	ready: listsModel(CALL),
	sample: "Answer with one word: ready.",
};

/** Servers refuse stream options on a request that does not stream. */
function contentOf(value: unknown): Record<string, unknown> {
	if (!isObject(value) || !("messages" in value)) return { messages: messagesOf(value) };
	const { stream_options: _, messages, ...rest } = value;
	return { ...rest, messages: Array.isArray(messages) ? messages : [messages] };
}

function messagesOf(value: unknown): unknown[] {
	if (isMessage(value)) return [value];
	if (Array.isArray(value) && value.length > 0 && value.every(isMessage)) return value;
	return [{ role: "user", content: typeof value === "string" ? value : JSON.stringify(value) }];
}

function isMessage(value: unknown): boolean {
	return isObject(value) && typeof value["role"] === "string" && "content" in value;
}

/** By its label, or by how it begins if it has another. */
function isStream({ headers, body }: Exchange): boolean {
	return STREAM.test(headers["content-type"] ?? "") || isEventStream(textOf(body.subarray(0, 64)));
}

function readStream(exchange: Exchange): Reading {
	const joined = joinChunks(textOf(exchange.body));
	const requestId = requestIdOf(exchange);
	// Cut off, or ended by an error: a partial output does not count.
	if (!joined.ok) {
		return reading({ ...insideSuccess(joined.error ?? {}), error: joined.message, requestId });
	}
	const { document } = joined;
	const data = { kind: "json", text: JSON.stringify(document) } as const;
	return reading({
		output: { kind: "data", data, contentType: "application/json" },
		...factsOf(document, exchange),
	});
}
