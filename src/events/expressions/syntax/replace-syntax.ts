/**
 * If an operator does its work between the two hooks of a node, the node is replaced by a call of one of our own
 * functions (list-functions.ts) with the same meaning.
 */
import { enterOf } from "./bound-syntax.ts";
import { become, callOf, type Node } from "./syntax.ts";

/** An expression can neither call nor shadow a name with a space. */
export const RANGE = "range of";
export const GROUP_INPUT = "group input";
export const ORDER = "order by";
const ITEM = "ordered item";

/** `nodes`: all nodes of the tree, outer ones first. */
export function replaceSyntax(nodes: readonly Node[]): void {
	let orders = 0;
	for (const node of nodes) {
		if (node.type === "binary" && node.value === "..") replaceRange(node);
		if (node.type === "path") replaceOrder(node, () => orders++);
		if (node.group !== undefined) replaceGroup(node);
	}
}

/** `[a..b]`: JSONata creates the array before anything is charged, and never stops beyond 2^53. */
function replaceRange(node: Node): void {
	const { lhs, rhs, position, value: _operator, type: _type, ...rest } = node;
	if (lhs === undefined || Array.isArray(lhs) || rhs === undefined) return;
	become(node, { ...rest, ...callOf(RANGE, [lhs, rhs], position) });
}

/**
 * `list^(term, …)`: JSONata copies the rest of the list for each comparison. The terms become functions of an item, and
 * the steps after the sort become steps of a variable. A sort with tuples stays, within a limit (spendTupleSort).
 */
function replaceOrder(node: Node, count: () => number): void {
	const steps = node.steps ?? [];
	const at = steps.findIndex(({ type }) => type === "sort");
	const order = steps[at];
	if (order?.terms === undefined || at === 0 || node.tuple === true) return;
	if (
		steps.some(({ tuple, terms }) => tuple === true || terms?.some(({ expression }) => isTuple(expression)))
	)
		return;
	const list: Node = { type: "path", steps: steps.slice(0, at), keepArray: true };
	const directions = order.terms.map(({ descending }) => (descending ? ">" : "<")).join("");
	const terms = order.terms.map(({ expression }): Node => {
		// Removes the charge for JSONata's own sort.
		expression.enter = enterOf(expression);
		const item: Node = { type: "variable", value: ITEM };
		const body: Node = { type: "path", steps: [item, { type: "block", expressions: [expression] }] };
		return { type: "lambda", arguments: [item], body };
	});
	const call = callOf(ORDER, [list, { type: "string", value: directions }, ...terms], order.position);
	if (order.stages !== undefined) call.predicate = order.stages;
	const { steps: _steps, type: _type, ...rest } = node;
	if (at === steps.length - 1) {
		const keepArray = node.keepArray ?? node.keepSingletonArray ?? false;
		become(node, { ...rest, ...call, keepArray });
		return;
	}
	const variable = `ordered list ${count()}`;
	const bind: Node = { type: "bind", lhs: { type: "variable", value: variable }, rhs: call };
	const after: Node = {
		...rest,
		type: "path",
		steps: [{ type: "variable", value: variable }, ...steps.slice(at + 1)],
	};
	const { group, leave } = after;
	delete after.group;
	delete after.leave;
	become(node, {
		type: "block",
		expressions: [bind, after],
		...(group !== undefined && { group }),
		...(leave !== undefined && { leave }),
	});
	replaceOrder(after, count);
}

/** Whether the term refers to a parent, which only the evaluator's own sort can provide. */
function isTuple(node: Node): boolean {
	return "seekingParent" in node || node.type === "parent" || node.tuple === true;
}

/**
 * `list{key: value}`: the list is charged for before it is grouped. A list of tuples is charged for as it is created.
 */
function replaceGroup(node: Node): void {
	const isTupleStream = node.tuple === true || node.steps?.some(({ tuple }) => tuple === true) === true;
	const { group, leave, ...rest } = node;
	if (group === undefined || isTupleStream) return;
	const input: Node = { ...rest, keepArray: true };
	const call = callOf(GROUP_INPUT, [input], node.position);
	become(node, {
		...call,
		group,
		...(leave !== undefined && { leave }),
		...(node.consarray && { consarray: true }),
	});
}
