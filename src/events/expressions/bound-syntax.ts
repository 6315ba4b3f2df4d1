/**
 * Makes the evaluator charge for what its operators do. It calls a hook before and after each node; where that is
 * not enough, because the work lies between the two, a node is replaced by a call of one of our own functions, which
 * means the same.
 */
import { isContainer, isFunction, type Meter, STEP } from "./meter.ts";
import { become, callOf, type Node } from "./syntax.ts";
import { readText } from "./value-text.ts";

/** Our own functions (list-functions.ts). A name with a space cannot be called, or shadowed, from an expression. */
export const RANGE = "range of";
export const GROUP_INPUT = "group input";
export const ORDER = "order by";
const ITEM = "ordered item";

/** Parsing the function that a partial application makes, and the frame that all its calls look through. */
const PARTIAL_WORK = 20_000;
/** Sorting with variables from `@`, `#` or `%` copies the rest of the list for each comparison. */
const MAX_TUPLES_SORTED = 2_000;

/** `nodes`: all of the tree, outer ones first. Call it once for a tree. */
export function boundSyntax(nodes: readonly Node[]): void {
	let orders = 0;
	for (const node of nodes) {
		chargeNode(node);
		chargeOperands(node);
	}
	for (const node of nodes) {
		if (node.type === "binary" && node.value === "..") replaceRange(node);
		if (node.type === "path") replaceOrder(node, () => orders++);
		if (node.group !== undefined) replaceGroup(node);
	}
}

/** What the hook does beyond counting a step, for a node by itself. */
function chargeNode(node: Node): void {
	switch (node.type) {
		case "name":
			node.enter = (input, meter) => meter.readArray(input);
			break;
		case "wildcard":
			node.enter = spendWildcard;
			break;
		case "descendant":
			node.enter = (input, meter) => meter.readAll(input, 4);
			break;
		case "partial":
			node.enter = (_input, meter) => meter.spend(PARTIAL_WORK);
			break;
		case "unary":
			if (node.value === "{") node.enter = spendObject;
			break;
		case "binary":
			if (node.value === "&") node.leave = refuseLongText;
			break;
	}
}

/** What the hook does about values, because of where they go. */
function chargeOperands(node: Node): void {
	for (const { expr } of [...(node.predicate ?? []), ...(node.stages ?? [])]) {
		if (expr !== undefined) addCondition(expr);
	}
	for (const [key, value] of pairsOf(node)) {
		if (key.type !== "string") addLeave(key, refuseKey);
		if (key.type !== "string" || key.value === "then") addLeave(value, refuseMember);
	}
	for (const { expression } of node.terms ?? []) expression.enter = chain(expression.enter, spendTupleSort);
	if (node.condition !== undefined) addCondition(node.condition);
	if (node.type === "unary") chargeUnary(node);
	if (node.type === "binary") chargeBinary(node);
	if (node.type === "partial" && node.procedure !== undefined) addLeave(node.procedure, refuseForgery);
	if (node.type === "transform") {
		if (node.pattern !== undefined) addLeave(node.pattern, refuseFunctions);
		if (node.update !== undefined) addLeave(node.update, spendUpdate);
		if (node.delete !== undefined) addLeave(node.delete, refuseDeletion);
	}
}

function chargeUnary({ value, expression, expressions = [] }: Node): void {
	if (value === "-" && expression !== undefined) addLeave(expression, refuseNegation);
	if (value !== "[") return;
	expressions.forEach((item, index) => {
		// The array so far is copied for each item that follows.
		const copies = (expressions.length - index) / 4;
		addLeave(item, (list, meter) => meter.spend(copies * (Array.isArray(list) ? list.length : 1)));
	});
}

function chargeBinary({ value: operator, lhs, rhs }: Node): void {
	if (lhs === undefined || Array.isArray(lhs) || rhs === undefined) return;
	switch (operator) {
		case "and":
		case "or":
			addCondition(lhs);
			addCondition(rhs);
			break;
		case "in":
			addLeave(rhs, spendList);
			break;
		case "&":
			addLeave(lhs, readText);
			addLeave(rhs, readText);
			break;
		case "=":
		case "!=":
		case "<":
		case "<=":
		case ">":
		case ">=":
			if (isLiteral(lhs) || isLiteral(rhs)) break;
			addLeave(lhs, spendComparison);
			addLeave(rhs, spendComparison);
			break;
	}
}

function isLiteral({ type }: Node): boolean {
	return type === "string" || type === "number" || type === "value";
}

function pairsOf({ lhs, group }: Node): [Node, Node][] {
	return [...(Array.isArray(lhs) ? lhs : []), ...(group?.lhs ?? [])];
}

/** What cannot be a list costs nothing as a condition. */
function addCondition(node: Node): void {
	const isScalar = isLiteral(node) || (node.type === "binary" && node.value !== "..");
	if (!isScalar) addLeave(node, spendCondition);
}

type Charge = (value: unknown, meter: Meter) => void;

function addLeave(node: Node, charge: Charge): void {
	node.leave = chain(node.leave, charge);
}

function chain(first: Charge | undefined, second: Charge): Charge {
	if (first === undefined) return second;
	return (value, meter) => {
		first(value, meter);
		second(value, meter);
	};
}

/** JSONata looks at every element of an array to say whether it is true, and whether it is a list of numbers. */
function spendCondition(value: unknown, meter: Meter): void {
	if (!Array.isArray(value)) return;
	meter.readArray(value);
	meter.spend(2 * value.length);
}

function spendList(value: unknown, meter: Meter): void {
	if (!Array.isArray(value)) return;
	meter.spend(value.length);
	for (const item of value) if (typeof item === "string") meter.spend(item.length / 64);
}

function spendComparison(value: unknown, meter: Meter): void {
	if (typeof value === "string") meter.spend(value.length / 32);
	else if (isContainer(value)) meter.readAll(value, 8);
}

/** Each list among the values is joined to a copy of those before it. */
function spendWildcard(input: unknown, meter: Meter): void {
	if (!isContainer(input)) return;
	let length = 0;
	for (const value of Array.isArray(input) ? input : Object.values(input)) {
		meter.readArray(value);
		length += Array.isArray(value) ? value.length : 1;
		meter.spend(1 + (Array.isArray(value) ? length / 4 : 0));
	}
}

function spendObject(input: unknown, meter: Meter): void {
	if (!Array.isArray(input)) return;
	if (input.length === 0) meter.keepEmpty(input);
	spendGrouping(input, meter);
}

/** When all items have one key, each is joined to a copy of those before it. */
export function spendGrouping(list: readonly unknown[], meter: Meter): void {
	let length = 0;
	for (const item of list) {
		length += Array.isArray(item) ? item.length : 1;
		meter.spend(1 + length / 8);
	}
}

function spendTupleSort(_input: unknown, meter: Meter): void {
	if (meter.longest > MAX_TUPLES_SORTED) {
		meter.stop(`the expression sorts more than ${MAX_TUPLES_SORTED} items that carry variables of @, # or %`);
	}
	meter.spend(STEP + meter.longest / 16);
}

function refuseLongText(value: unknown, meter: Meter): void {
	if (typeof value !== "string") return;
	meter.checkText(value.length);
	meter.spend(value.length / 64);
}

/** An event can bring what looks like a function, with a syntax tree for a body that nobody has checked. */
function refuseForgery(value: unknown): void {
	if (value === undefined || isFunction(value)) return;
	throw new Error("only a function can be applied in part");
}

/** A transform would change the function itself, which others call too, or its body. */
function refuseFunctions(matches: unknown, meter: Meter): void {
	const list: readonly unknown[] = Array.isArray(matches) ? matches : [matches];
	meter.spend(list.length);
	if (list.some(isFunction)) throw new Error("a transform cannot change a function");
}

/*
 * The errors of JSONata for these show the value as JSON text, however large it is or refers to itself.
 */

function refuseKey(key: unknown): void {
	if (key === undefined || typeof key === "string") return;
	throw new Error("the name of a member must be text");
}

/** A member `then` that can be called makes the object a promise, which nobody will ever keep. */
function refuseMember(value: unknown): void {
	if (typeof value === "function") throw new Error("a function cannot be the member of an object here");
}

function refuseNegation(value: unknown): void {
	if (value === undefined || typeof value === "number") return;
	throw new Error("only a number can be negated");
}

function spendUpdate(value: unknown, meter: Meter): void {
	if (value === undefined) return;
	if (!isContainer(value) || Array.isArray(value)) {
		if (!isFunction(value)) throw new Error("the update of a transform must be an object");
		throw new Error("the update of a transform must not be a function");
	}
	meter.spend(8 * Object.keys(value).length);
}

function refuseDeletion(value: unknown, meter: Meter): void {
	if (value === undefined || typeof value === "string") return;
	if (!Array.isArray(value)) throw new Error("the deletion of a transform must be texts");
	meter.spend(4 * value.length);
	if (!value.every((name) => typeof name === "string")) {
		throw new Error("the deletion of a transform must be texts");
	}
}

/** `[a..b]`: JSONata makes the array before anything is charged, and never ends beyond 2^53. */
function replaceRange(node: Node): void {
	const { lhs, rhs, position, value: _operator, type: _type, ...rest } = node;
	if (lhs === undefined || Array.isArray(lhs) || rhs === undefined) return;
	become(node, { ...rest, ...callOf(RANGE, [lhs, rhs], position) });
}

/**
 * `list^(term, …)`: JSONata copies the rest of the list for each comparison. The terms become functions of an item,
 * and the steps behind the order those of a variable. One with tuples stays, within a bound (spendTupleSort).
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
		delete expression.enter;
		chargeNode(expression);
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

/** Whether it looks for a parent, which only the evaluator's own sort can give it. */
function isTuple(node: Node): boolean {
	return "seekingParent" in node || node.type === "parent" || node.tuple === true;
}

/** `list{key: value}`: the list is charged for on its way into the grouping. One of tuples is, as it is made. */
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
