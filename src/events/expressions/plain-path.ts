/**
 * A fast path for expressions that are only a path, such as `body.record.id`, or that compare a path with a literal.
 * Most expressions do. Following the path takes a hundredth of the time that the evaluator needs.
 */
import type { Node } from "./syntax/syntax.ts";

/** Returns undefined if the evaluator must decide: the path contains an array, or the types cannot be compared. */
export type Shortcut = (input: unknown) => { value: unknown } | undefined;

/** Returns null if the expression has another form. */
export function shortcutOf(root: Node): Shortcut | null {
	const path = pathOf(root);
	if (path !== null) return (input) => walk(path, input);
	const { type, value: operator, lhs, rhs, ...rest } = root;
	if (type !== "binary" || lhs === undefined || Array.isArray(lhs) || rhs === undefined) return null;
	if (typeof operator !== "string" || hasMore(rest)) return null;
	const left = pathOf(lhs);
	const literal = literalOf(rhs);
	const compare = comparisons[operator];
	if (left === null || literal === null || compare === undefined) return null;
	return (input) => {
		const found = walk(left, input);
		return found && compare(found.value, literal.value);
	};
}

type Compare = (value: unknown, literal: unknown) => { value: unknown } | undefined;

/** Compares like JSONata. Comparisons that JSONata refuses are left to the evaluator. */
const comparisons: Record<string, Compare | undefined> = {
	"=": (value, literal) => ({ value: value !== undefined && value === literal }),
	"!=": (value, literal) => ({ value: value !== undefined && value !== literal }),
	"<": ordered((value, literal) => value < literal),
	"<=": ordered((value, literal) => value <= literal),
	">": ordered((value, literal) => value > literal),
	">=": ordered((value, literal) => value >= literal),
};

function ordered(compare: (value: never, literal: never) => boolean): Compare {
	return (value, literal) => {
		const isNumbers = typeof value === "number" && typeof literal === "number";
		const isTexts = typeof value === "string" && typeof literal === "string";
		return isNumbers || isTexts ? { value: compare(value as never, literal as never) } : undefined;
	};
}

function pathOf({ type, steps, ...rest }: Node): string[] | null {
	if (type !== "path" || steps === undefined || hasMore(rest)) return null;
	const names: string[] = [];
	for (const { type, value, ...more } of steps) {
		if (type !== "name" || typeof value !== "string" || hasMore(more)) return null;
		names.push(value);
	}
	return names;
}

function literalOf({ type, value, ...rest }: Node): { value: unknown } | null {
	const isLiteral = type === "string" || type === "number" || type === "value";
	return isLiteral && !hasMore(rest) ? { value } : null;
}

/** Members of a node that can be ignored here: its position, and what our hooks store in it. */
const PLAIN: readonly string[] = ["position", "frames", "enter", "leave"];
function hasMore(rest: object): boolean {
	return Object.keys(rest).some((name) => !PLAIN.includes(name));
}

function walk(path: readonly string[], input: unknown): { value: unknown } | undefined {
	let at = input;
	for (const name of path) {
		if (Array.isArray(at)) return undefined;
		at =
			typeof at === "object" && at !== null && Object.hasOwn(at, name)
				? at[name as keyof typeof at]
				: undefined;
	}
	return Array.isArray(at) ? undefined : { value: at };
}
