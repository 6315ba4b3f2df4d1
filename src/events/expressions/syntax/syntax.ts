/** The syntax tree of JSONata 2.2, as far as it matters here, and the one walk over all of it. */
import type { Meter } from "../bounds/meter.ts";

export interface Node {
	type: string;
	value?: unknown;
	position?: number;
	/** Binary operators have nodes here; an object and its grouping have pairs of key and value. */
	lhs?: Node | [Node, Node][];
	rhs?: Node;
	steps?: Node[];
	stages?: Stage[];
	predicate?: Stage[];
	group?: { lhs: [Node, Node][] };
	expressions?: Node[];
	expression?: Node;
	arguments?: Node[];
	procedure?: Node;
	condition?: Node;
	body?: Node;
	pattern?: Node;
	update?: Node;
	delete?: Node;
	terms?: { descending: boolean; expression: Node }[];
	signature?: { definition: string };
	keepArray?: boolean;
	keepSingletonArray?: boolean;
	consarray?: boolean;
	/** Set by `@`, `#` and `%`: the step carries variables along. */
	tuple?: boolean;
	focus?: string;
	/** Ours: the work of entering the node beyond a step for each frame that its variables are looked for in. */
	frames?: number;
	/** Ours: what is charged before the node is evaluated, and what is done with its value before it is used. */
	enter?: ((input: unknown, meter: Meter) => void) | undefined;
	leave?: (value: unknown, meter: Meter) => void;
}

export interface Stage {
	type: string;
	expr?: Node;
	value?: unknown;
}

/** Far more than any real expression has. Each level costs the evaluator a frame for variable lookups. */
const MAX_NESTING = 500;
/** Expressions of 4,096 characters stay far below this. */
const MAX_NODES = 100_000;

/** All nodes of the tree, each before those inside of it. Throws when it is too large. */
export function allNodes(root: object): Node[] {
	const nodes: Node[] = [];
	const seen = new Set<object>();
	const open = [{ at: root, frames: 0, nesting: 0 }];
	for (let next = open.pop(); next !== undefined; next = open.pop()) {
		const { at, nesting } = next;
		let { frames } = next;
		if (seen.has(at) || at instanceof RegExp) continue;
		seen.add(at);
		if (seen.size > MAX_NODES) throw new Error("the expression is too large");
		if (nesting > MAX_NESTING) throw new Error("the expression nests too deep");
		if (isNode(at)) {
			nodes.push(at);
			if (at.type === "block" || at.type === "lambda" || at.tuple === true) frames++;
			at.frames = frames;
		}
		for (const [name, inner] of Object.entries(at)) {
			if (typeof inner !== "object" || inner === null || name === "signature") continue;
			open.push({ at: inner as object, frames, nesting: nesting + (isNode(at) ? 1 : 0) });
		}
	}
	return nodes;
}

function isNode(at: object): at is Node {
	return "type" in at && typeof at.type === "string";
}

/** A call of one of our own functions, whose names no expression can spell. */
export function callOf(name: string, args: Node[], position: number | undefined): Node {
	const at = position === undefined ? {} : { position };
	return {
		type: "function",
		value: "(",
		...at,
		procedure: { type: "variable", value: name, ...at },
		arguments: args,
	};
}

/** Turns `node` into another one in place, so that every reference to it sees the change. */
export function become(node: Node, other: Node): void {
	for (const name of Object.keys(node)) delete node[name as keyof Node];
	Object.assign(node, other);
}
