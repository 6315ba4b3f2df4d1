/**
 * Joins the chunks of a streamed chat completion, sent as server-sent events or one per line, into
 * the document of an unstreamed response.
 */
import { errorIn, objectOf, payloadsOf } from "./event-stream.ts";
import { describe, isObject } from "./reading.ts";

type Members = Record<string, unknown>;

export type Joined =
	| { ok: true; document: Members }
	/** `error`: what the server sent in the stream in place of a chunk. */
	| { ok: false; error: Members | null; message: string };

const END = "[DONE]";

interface Choice {
	index: number;
	message: Members;
	finish_reason: unknown;
}

export function joinChunks(stream: string): Joined {
	const choices = new Map<number, Choice>();
	let envelope: Members | null = null;
	let usage: unknown = null;
	let isDone = false;
	for (const { event, text } of payloadsOf(stream)) {
		if (text === END) {
			isDone = true;
			break;
		}
		const chunk = objectOf(text);
		// Some servers send the message of an error as plain text.
		if (chunk === null && event === "error") return { ok: false, error: null, message: text };
		if (chunk === null) return broken("the stream contains something that is not a chunk");
		const error = errorIn(chunk, event);
		if (error !== null)
			return { ok: false, error, message: describe(error) ?? "the stream ends in an error" };
		const { choices: list, usage: counted, ...rest } = chunk;
		envelope ??= rest;
		usage = counted ?? usage;
		for (const part of Array.isArray(list) ? list : []) if (isObject(part)) addTo(choices, part);
	}
	const isComplete = isDone || [...choices.values()].every(({ finish_reason }) => finish_reason !== null);
	if (envelope === null || choices.size === 0) return broken("the stream contains no output");
	if (!isComplete) return broken("the stream ended before the output was complete");
	return { ok: true, document: documentOf(envelope, [...choices.values()], usage) };
}

function documentOf(envelope: Members, choices: Choice[], usage: unknown): Members {
	const sorted = choices.toSorted((left, right) => left.index - right.index);
	return { ...envelope, object: "chat.completion", choices: sorted, ...(usage !== null && { usage }) };
}

function broken(message: string): Joined {
	return { ok: false, error: null, message };
}

function addTo(choices: Map<number, Choice>, part: Members): void {
	const index = typeof part["index"] === "number" ? part["index"] : 0;
	const choice = choices.get(index) ?? { index, message: {}, finish_reason: null };
	choices.set(index, choice);
	choice.finish_reason = part["finish_reason"] ?? choice.finish_reason;
	if (isObject(part["delta"])) merge(choice.message, part["delta"]);
}

/**
 * Texts are appended, lists are joined by `index`, and every other value is set
 * once.
 */
function merge(into: Members, delta: Members): void {
	for (const [name, value] of Object.entries(delta)) {
		// Assigning this key would change the prototype.
		if (name === "__proto__") continue;
		const known = into[name];
		if (value === null || value === undefined) into[name] = known ?? null;
		else if (typeof value === "string" && typeof known === "string" && !SAID_ONCE.has(name))
			into[name] = known + value;
		else if (Array.isArray(value)) into[name] = mergeLists(Array.isArray(known) ? known : [], value);
		else if (isObject(value) && isObject(known)) merge(known, value);
		else into[name] = value;
	}
}

const SAID_ONCE = new Set(["role", "id", "type", "name"]);

/** Tool calls arrive in parts with an index, which the joined list does not need. */
function mergeLists(known: unknown[], parts: unknown[]): unknown[] {
	for (const part of parts) {
		if (!isObject(part) || typeof part["index"] !== "number") {
			known.push(part);
			continue;
		}
		const { index: _, ...rest } = part;
		const at = Math.min(part["index"], known.length);
		const whole = known[at];
		if (isObject(whole)) merge(whole, rest);
		else known[at] = rest;
	}
	return known;
}
