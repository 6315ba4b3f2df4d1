/**
 * What the batches of all protocols have in common. A batch is built from the bodies of the single requests, and its
 * response is split as text: values are moved, never parsed and serialised, so their digits stay unchanged. A protocol
 * adds a `BatchForm`: which members of a body may differ, and where in the response the outputs are.
 */
import { Buffer } from "node:buffer";
import { elementTexts, memberTexts } from "../../events/json/text.ts";
import type { ModelOutput, RequestContext } from "../exchange.ts";
import { readData } from "../responses/output.ts";
import type { Batch, Misfit, ModelRequest, Protocol } from "../protocol.ts";
import { isSuccess } from "../responses/reading.ts";

/** Maximum number of inputs in one request. */
export const MAX_BATCH_INPUTS = 256;
/** Maximum total size of the single requests' bodies (2^20). The body of the batch is never longer. */
export const MAX_BATCH_BYTES = 1_048_576;
/** Maximum length of a key, in characters. An input with a longer one is sent alone. */
const MAX_KEY_LENGTH = 10_000;
/** Maximum length of what the outputs of one response may repeat of it in total, in characters. */
const MAX_REPEATED_LENGTH = 4_194_304;

/** The JSON text of each member of an object, by name. */
export type Members = ReadonlyMap<string, string>;

export interface BatchForm {
	/** The part that must be equal; null: this body has no single input, or one that must be sent alone. */
	key(body: Members, context: RequestContext): readonly unknown[] | null;
	/** The body for all of them. They have the same key, and the rest is taken from the first. */
	join(bodies: readonly Members[]): Members;
	/** How to get the document of each input, counted from 0; null: the response does not have one output for each. */
	split(document: string, count: number): ((index: number) => string) | null;
}

/** The batches of a protocol whose bodies are JSON objects. `request` makes a single request. */
export function batchOf(request: Protocol["request"], form: BatchForm): Batch {
	const partOf = (made: ModelRequest, context: RequestContext) => {
		if (typeof made.body !== "string") return null;
		const bytes = Buffer.byteLength(made.body);
		if (bytes > MAX_BATCH_BYTES) return null;
		const members = memberTexts(made.body);
		const equal = form.key(members, context);
		const key = equal === null ? null : JSON.stringify(equal);
		return key === null || key.length > MAX_KEY_LENGTH ? null : { key, members, bytes };
	};
	return {
		key(input, context) {
			const made = request(input, context);
			return "misfit" in made ? null : (partOf(made, context)?.key ?? null);
		},
		join(inputs, context) {
			const [only] = inputs;
			if (only === undefined) return { misfit: "there is no input" };
			if (inputs.length > MAX_BATCH_INPUTS)
				return { misfit: `a request can have at most ${MAX_BATCH_INPUTS} inputs` };
			const first = request(only, context);
			if ("misfit" in first || inputs.length === 1) return first;
			const parts: { key: string; members: Members; bytes: number }[] = [];
			let bytes = 0;
			for (const input of inputs) {
				const made = request(input, context);
				if ("misfit" in made) return made;
				const part = partOf(made, context);
				if (part === null) return NOT_TOGETHER;
				bytes += part.bytes;
				if (bytes > MAX_BATCH_BYTES) return { misfit: `the inputs have more than ${MAX_BATCH_BYTES} bytes` };
				parts.push(part);
			}
			if (new Set(parts.map(({ key }) => key)).size > 1) return NOT_TOGETHER;
			return { ...first, body: objectText(form.join(parts.map(({ members }) => members))) };
		},
		split(exchange, count) {
			if (!isSuccess(exchange)) return null;
			const whole = readData(exchange);
			if (count === 1) return [whole];
			if (whole?.kind !== "data" || whole.data.kind !== "json") return null;
			const { contentType, data } = whole;
			const documentOf = count < 1 || count > MAX_BATCH_INPUTS ? null : form.split(data.text, count);
			if (documentOf === null) return null;
			const outputs: ModelOutput[] = [];
			let left = data.text.length + MAX_REPEATED_LENGTH;
			for (let index = 0; index < count; index++) {
				const text = documentOf(index);
				left -= text.length;
				if (left < 0) return null;
				outputs.push({ kind: "data", data: { kind: "json", text }, contentType });
			}
			return outputs;
		},
	};
}

const NOT_TOGETHER: Misfit = { misfit: "these inputs cannot be sent in one request" };

/** The members of a JSON text that is an object; null if it is not one. */
export function membersIn(text: string | undefined): Members | null {
	return text?.trimStart().startsWith("{") === true ? memberTexts(text) : null;
}

/** The elements of a JSON text that is an array; null if it is not one. */
export function elementsIn(text: string | undefined): string[] | null {
	return isList(text) ? elementTexts(text) : null;
}

export function isList(text: string | undefined): text is string {
	return text?.trimStart().startsWith("[") === true;
}

/** Names and texts of all members except these. */
export function othersOf(members: Members, ...names: readonly string[]): [string, string][] {
	return [...members].filter(([name]) => !names.includes(name));
}

export function objectText(members: Members): string {
	return `{${[...members].map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}

export function listText(texts: readonly string[]): string {
	return `[${texts.join(",")}]`;
}

/** The object with a different text for one member. */
export function withMember(members: Members, name: string, text: string): Members {
	return new Map(members).set(name, text);
}

/** The first body, whose list `name` gets the elements of all bodies. */
export function joinLists(bodies: readonly Members[], name: string): Members {
	const elements = bodies.flatMap((body) => elementsIn(body.get(name)) ?? []);
	return withMember(bodies[0] ?? new Map<string, string>(), name, listText(elements));
}
