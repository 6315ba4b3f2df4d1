/**
 * Batches of `open-inference`: inputs are joined along the first dimension of their tensors, and every output is split
 * along its first dimension. The id of the request is the first delivery's, and the server repeats it in its document.
 */
import {
	type BatchForm,
	batchOf,
	elementsIn,
	isList,
	listText,
	type Members,
	membersIn,
	objectText,
	othersOf,
	withMember,
} from "./batch.ts";
import type { Batch, Protocol } from "../protocol.ts";

export function openInferenceBatch(request: Protocol["request"]): Batch {
	return batchOf(request, form);
}

const form: BatchForm = {
	key(body) {
		// Triton keeps state for each sequence, whose requests must come one after the other.
		if (membersIn(body.get("parameters"))?.has("sequence_id") === true) return null;
		const tensors = (elementsIn(body.get("inputs")) ?? []).map(tensorKey);
		if (tensors.length === 0 || tensors.includes(null)) return null;
		return [tensors, othersOf(body, "id", "inputs")];
	},
	join(bodies) {
		const [first = new Map<string, string>()] = bodies;
		const inputs = bodies.map((body) => (elementsIn(body.get("inputs")) ?? []).map(membersOf));
		const joined = (inputs[0] ?? []).map((tensor, at) => {
			const data = inputs.flatMap((tensors) => elementsIn(tensors[at]?.get("data")) ?? []);
			const shape = [bodies.length, ...(shapeOf(tensor) ?? []).slice(1)];
			return tensorText(tensor, shape, data);
		});
		return withMember(first, "inputs", listText(joined));
	},
	split(document, count) {
		const members = membersIn(document);
		const outputs = elementsIn(members?.get("outputs"))?.map((text) => rowsOf(text, count)) ?? [];
		if (members === null || outputs.length === 0 || outputs.includes(null)) return null;
		return (index) =>
			objectText(withMember(members, "outputs", listText(outputs.map((rowAt) => rowAt?.(index) ?? "null"))));
	},
};

/**
 * null: the tensor does not have exactly one row, or has not as many elements as its shape says, which would shift those
 * of the next inputs.
 */
function tensorKey(text: string): unknown[] | null {
	const tensor = membersOf(text);
	const shape = shapeOf(tensor);
	const data = elementsIn(tensor.get("data"));
	if (shape === null || shape[0] !== 1 || data === null) return null;
	const isNested = data.some(isList);
	if (isNested && data.length !== 1) return null;
	// Nested lists are allowed instead of a flat one, but all inputs of a batch must use the same form.
	const length = isNested ? (JSON.parse(listText(data)) as unknown[]).flat(Infinity).length : data.length;
	if (length !== sizeOf(shape)) return null;
	return [othersOf(tensor, "shape", "data"), shape.slice(1), isNested];
}

/** How to get each row of an output as a separate output; null: it has another number of rows. */
function rowsOf(text: string, count: number): ((index: number) => string) | null {
	const tensor = membersOf(text);
	const shape = shapeOf(tensor);
	const data = elementsIn(tensor.get("data"));
	if (shape === null || shape[0] !== count || data === null) return null;
	const rest = shape.slice(1);
	const isNested = data.length === count && data.every(isList);
	const size = isNested ? 1 : sizeOf(rest);
	if (data.length !== count * size) return null;
	return (index) => tensorText(tensor, [1, ...rest], data.slice(index * size, (index + 1) * size));
}

function tensorText(tensor: Members, shape: readonly number[], data: readonly string[]): string {
	return objectText(withMember(withMember(tensor, "shape", JSON.stringify(shape)), "data", listText(data)));
}

function membersOf(text: string): Members {
	return membersIn(text) ?? new Map<string, string>();
}

function shapeOf(tensor: Members): number[] | null {
	const shape = elementsIn(tensor.get("shape"));
	return shape?.every((size) => /^\d{1,9}$/.test(size)) === true ? shape.map(Number) : null;
}

function sizeOf(shape: readonly number[]): number {
	return shape.reduce((product, size) => product * size, 1);
}
