/** Batches of `kserve-v1`: the `instances` of all in one list, one prediction each. Explanations are sent singly. */
import { endsWith } from "../requests/address.ts";
import {
	type BatchForm,
	batchOf,
	elementsIn,
	joinLists,
	listText,
	membersIn,
	objectText,
	othersOf,
	withMember,
} from "./batch.ts";
import type { Batch, Protocol } from "../protocol.ts";

export function kserveV1Batch(request: Protocol["request"]): Batch {
	return batchOf(request, form);
}

const form: BatchForm = {
	key(body, { url }) {
		const isOne = elementsIn(body.get("instances"))?.length === 1;
		return isOne && !endsWith(url, /:explain$/) ? othersOf(body, "instances") : null;
	},
	join: (bodies) => joinLists(bodies, "instances"),
	split(document, count) {
		const members = membersIn(document);
		const predictions = elementsIn(members?.get("predictions"));
		if (members === null || predictions?.length !== count) return null;
		return (index) =>
			objectText(withMember(members, "predictions", listText(predictions.slice(index, index + 1))));
	},
};
