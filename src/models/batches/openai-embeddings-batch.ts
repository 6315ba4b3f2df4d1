/**
 * Batches of `openai-embeddings`: the inputs of all in one list, and the items of `data` by their `index`, which becomes
 * 0. `usage` stays unchanged in each document: it is the usage of the whole request.
 */
import {
	type BatchForm,
	batchOf,
	elementsIn,
	isList,
	joinLists,
	listText,
	type Members,
	membersIn,
	objectText,
	othersOf,
	withMember,
} from "./batch.ts";
import type { Batch, Protocol } from "../protocol.ts";

export function openaiEmbeddingsBatch(request: Protocol["request"]): Batch {
	return batchOf(request, form);
}

const form: BatchForm = {
	key(body) {
		const [only, ...more] = elementsIn(body.get("input")) ?? [];
		if (only === undefined || more.length > 0) return null;
		// A list holds texts or lists of tokens, never both.
		return [isList(only), othersOf(body, "input")];
	},
	join: (bodies) => joinLists(bodies, "input"),
	split(document, count) {
		const members = membersIn(document);
		const items = itemsOf(elementsIn(members?.get("data")) ?? [], count);
		if (members === null || items === null) return null;
		return (index) => {
			const item = items.get(index) ?? new Map<string, string>();
			return objectText(withMember(members, "data", listText([objectText(withMember(item, "index", "0"))])));
		};
	},
};

/** The items by index; null: there is not exactly one for each. */
function itemsOf(texts: readonly string[], count: number): Map<number, Members> | null {
	const items = new Map<number, Members>();
	for (const text of texts) {
		const item = membersIn(text);
		const index = item?.get("index");
		if (item === null || index === undefined || !/^\d{1,3}$/.test(index) || Number(index) >= count)
			return null;
		items.set(Number(index), item);
	}
	return items.size === count && texts.length === count ? items : null;
}
