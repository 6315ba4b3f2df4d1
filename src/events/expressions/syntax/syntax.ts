/** The part of JSONata 2.2's syntax tree that matters here, and the one walk over all of it. */
import type { Meter } from "../bounds/meter.ts";

export interface Node {
	type: string;
	value?: unknown;
	position?: number;
	/** For binary operators, nodes; for an object and its grouping, pairs of key and value. */
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
	/** Set by `@`, `#` and `%`: the step carries variables. */
	tuple?: boolean;
	focus?: string;
	/** Ours: the cost of entering the node, besides one step for each frame in which its variables are looked up. */
	frames?: number;
	/** Ours: what is charged before the node is evaluated, and what happens to its value before it is used. */
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

/** Returns all nodes of the tree, each before the nodes inside it. Throws if the tree is too large. */
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
		if (nesting > MAX_NESTING) throw new Error("the expression is nested too deeply");
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

/** A call of one of our own functions, whose names cannot occur in an expression. */
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

/** Turns `node` into another node in place, so that every reference to it sees the change. */
export function become(node: Node, other: Node): void {
	for (const name of Object.keys(node)) delete node[name as keyof Node];
	Object.assign(node, other);
}
