/** Functions that JSONata lacks, for the inputs of models: nested lists, tensors, base64 of UTF-8. */
import { Buffer } from "node:buffer";
import { makeTensor, type TensorForm } from "../../tensor.ts";
import type { BoundedFunction, Call } from "../bounds/call.ts";
import { isFunction, type Meter } from "../bounds/meter.ts";
import { readText } from "../bounds/value-text.ts";

const MAX_DIMENSIONS = 32;

export const modelFunctions: Record<string, BoundedFunction> = {
	/** Returns its arguments as a list, without flattening lists as `[…]` would. Missing arguments are left out. */
	list({ args, meter }) {
		const items = args.filter((item) => item !== undefined);
		meter.makeArray(items.length);
		return items;
	},
	tensor,
	base64({ args: [text], meter }) {
		if (text === undefined) return undefined;
		if (typeof text !== "string") throw new Error("the argument of $base64 must be a string");
		meter.spend(text.length);
		meter.makeText(4 * text.length);
		return Buffer.from(text).toString("base64");
	},
};

/** `$tensor(value, datatype?, shape?)` */
function tensor({ args: [value, datatype, shape], meter }: Call): unknown {
	if (value === undefined) return undefined;
	if (isFunction(value)) throw new Error("$tensor does not accept functions");
	// First, because a value may contain itself. A value whose text is too long would not fit into an event anyway.
	readText(value, meter);
	const made = makeTensor(value, formOf(datatype, shape, meter));
	if (!made.ok) throw new Error(`$tensor: ${made.message}`);
	return Object.assign(Object.create(null), made.tensor) as unknown;
}

function formOf(datatype: unknown, shape: unknown, meter: Meter): TensorForm {
	if (datatype !== undefined && datatype !== null && typeof datatype !== "string") {
		throw new Error("the second argument of $tensor must be a datatype such as FP32");
	}
	meter.readArray(shape);
	const isShape = Array.isArray(shape) && shape.every((size) => typeof size === "number");
	if (shape !== undefined && (!isShape || shape.length > MAX_DIMENSIONS)) {
		throw new Error("the third argument of $tensor, the shape, must be a list of numbers");
	}
	return {
		...(typeof datatype === "string" && { datatype }),
		...(isShape && { shape }),
	};
}
