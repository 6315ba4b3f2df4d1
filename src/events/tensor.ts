/**
 * Values as tensors of the Open Inference Protocol (V2): a datatype, a shape, and the elements in one flat list. Used
 * by the protocol and by `$tensor` in expressions.
 */

export const DATATYPES = [
	"BOOL",
	"UINT8",
	"UINT16",
	"UINT32",
	"UINT64",
	"INT8",
	"INT16",
	"INT32",
	"INT64",
	"FP16",
	"FP32",
	"FP64",
	"BYTES",
];

export interface Tensor {
	shape: number[];
	datatype: string;
	data: unknown[];
}

export type MadeTensor = { ok: true; tensor: Tensor } | { ok: false; message: string };

/** The requested form of a tensor. Omitted fields are derived from the value. One -1 in a shape is inferred. */
export interface TensorForm {
	datatype?: string;
	shape?: readonly number[];
}

/**
 * Converts a value to a batch of one: the shape is 1 followed by the value's own dimensions. Objects become BYTES
 * containing their JSON. Fails if lists are ragged, contain null, mix numbers, strings and booleans, or do not fill the
 * requested shape.
 */
export function makeTensor(value: unknown, form: TensorForm = {}): MadeTensor {
	const dimensions = dimensionsOf(value);
	const elements: unknown[] = [];
	if (!collect(value, dimensions, 0, elements)) return fail("its lists have different lengths");
	const shape = form.shape === undefined ? [1, ...dimensions] : fill(form.shape, elements.length);
	if (shape === null)
		return fail(`${elements.length} elements do not fill the shape [${form.shape?.join(", ")}]`);
	const datatype = form.datatype ?? datatypeOf(elements);
	if (datatype === null) return fail("it mixes numbers, strings and booleans, or contains null");
	if (!DATATYPES.includes(datatype)) return fail(`the datatype must be one of ${DATATYPES.join(", ")}`);
	const data = datatype === "BYTES" ? elements.map(textOf) : elements;
	return { ok: true, tensor: { shape, datatype, data } };
}

function fail(message: string): MadeTensor {
	return { ok: false, message };
}

/** Returns the dimensions of nested lists, read from the first item of each. */
function dimensionsOf(value: unknown): number[] {
	const dimensions: number[] = [];
	for (let at = value; Array.isArray(at); at = at[0] as unknown) dimensions.push(at.length);
	return dimensions;
}

/** Appends the elements in order. Returns false if a list is longer or shorter than its dimension. */
function collect(value: unknown, dimensions: readonly number[], level: number, elements: unknown[]): boolean {
	if (level === dimensions.length) {
		if (Array.isArray(value)) return false;
		elements.push(value);
		return true;
	}
	if (!Array.isArray(value) || value.length !== dimensions[level]) return false;
	return value.every((item) => collect(item, dimensions, level + 1, elements));
}

/** Returns null if the elements have no common type. */
function datatypeOf(elements: readonly unknown[]): string | null {
	const kinds = new Set(elements.map(kindOf));
	if (kinds.size === 0) return "FP64";
	const [only = null] = kinds;
	if (kinds.size === 1) return only;
	if (kinds.has(null) || kinds.has("BOOL") || kinds.has("BYTES")) return null;
	// Only numbers are left. No integer type holds both negative numbers and numbers above INT64.
	const isInteger = !kinds.has("FP64") && elements.every((element) => !textOf(element).startsWith("-"));
	return isInteger ? "UINT64" : "FP64";
}

function kindOf(element: unknown): string | null {
	if (typeof element === "boolean") return "BOOL";
	if (typeof element === "string") return "BYTES";
	if (typeof element === "number") return Number.isInteger(element) ? "INT64" : "FP64";
	if (typeof element !== "object" || element === null) return null;
	return JSON.isRawJSON(element) ? kindOfDigits(textOf(element)) : "BYTES";
}

/** Returns the datatype of a number that JavaScript cannot represent, from its digits. */
function kindOfDigits(digits: string): string {
	if (!/^-?\d{1,20}$/.test(digits)) return "FP64";
	const integer = BigInt(digits);
	if (BigInt.asIntN(64, integer) === integer) return "INT64";
	return BigInt.asUintN(64, integer) === integer ? "UINT64" : "FP64";
}

function textOf(element: unknown): string {
	return typeof element === "string" ? element : JSON.stringify(element);
}

/** Replaces -1 in the shape. Returns null if the shape is invalid or does not match the number of elements. */
function fill(shape: readonly number[], count: number): number[] | null {
	const known = shape.filter((size) => size !== -1);
	if (shape.length - known.length > 1 || !known.every((size) => Number.isInteger(size) && size >= 0))
		return null;
	const product = known.reduce((product, size) => product * size, 1);
	if (known.length === shape.length) return product === count ? [...shape] : null;
	const left = count / product;
	return Number.isInteger(left) ? shape.map((size) => (size === -1 ? left : size)) : null;
}
