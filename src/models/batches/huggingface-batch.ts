/**
 * Batches of `huggingface`: the `inputs` of all in one list, and a list with as many outputs. Splits only outputs that
 * certainly mean the same as a single response: for one input and for a list of one, tasks respond differently.
 */
import { endsWith } from "../requests/address.ts";
import {
	type BatchForm,
	batchOf,
	elementsIn,
	isList,
	joinLists,
	listText,
	type Members,
	membersIn,
	othersOf,
	withMember,
} from "./batch.ts";
import type { Batch, Protocol } from "../protocol.ts";

export function huggingfaceBatch(request: Protocol["request"]): Batch {
	return batchOf(request, form);
}

const form: BatchForm = {
	key(body, { url }) {
		// TEI's classifier reads a list of two texts as one pair.
		if (endsWith(url, /\/predict$/)) return null;
		const inputs = body.get("inputs") ?? "";
		// Zero-shot classification returns an object for a text, and a list of objects for a list.
		if (membersIn(body.get("parameters"))?.has("candidate_labels") === true) return null;
		const [only = "", ...more] = elementsIn(inputs) ?? [inputs];
		// A single number in a list may be a vector.
		if (more.length > 0 || !/^["[{]/.test(only)) return null;
		const isText = only.startsWith('"');
		if (!isText && !isList(inputs)) return null;
		return [isList(inputs), only.charAt(0), othersOf(body, "inputs")];
	},
	join: (bodies) => joinLists(bodies.map(asList), "inputs"),
	split(document, count) {
		const outputs = elementsIn(document);
		if (outputs?.length !== count || !outputs.every(isPlain)) return null;
		// The result of TEI's classifier for a pair, or for two texts: the two cannot be distinguished.
		if (count === 2 && outputs.every((output) => membersIn(output)?.has("label") === true)) return null;
		return (index) => listText(outputs.slice(index, index + 1));
	},
};

function asList(body: Members): Members {
	const inputs = body.get("inputs") ?? "";
	return isList(inputs) ? body : withMember(body, "inputs", listText([inputs]));
}

/** An object, or a list of numbers such as an embedding; for lists of lists a single response may have one level less. */
function isPlain(output: string): boolean {
	const elements = elementsIn(output);
	return elements === null ? membersIn(output) !== null : elements.every((element) => /^[-\d]/.test(element));
}
