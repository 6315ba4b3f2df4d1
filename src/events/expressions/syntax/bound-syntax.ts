/**
 * Makes the evaluator charge for its operators. The evaluator calls a hook before and after each node; what the hook
 * has to do is recorded in the nodes here.
 */
import {
	refuseDeletion,
	refuseForgery,
	refuseFunctions,
	refuseKey,
	refuseLongText,
	refuseMember,
	refuseNegation,
	spendComparison,
	spendCondition,
	spendList,
	spendObject,
	spendTupleSort,
	spendUpdate,
	spendWildcard,
} from "../bounds/charges.ts";
import type { Meter } from "../bounds/meter.ts";
import type { Node } from "./syntax.ts";
import { readText } from "../bounds/value-text.ts";

/** The cost of parsing the function that a partial application creates, and of the extra frame for all its calls. */
const PARTIAL_WORK = 20_000;
/** `nodes`: all nodes of the tree. Call it once per tree, followed by `replaceSyntax`. */
export function boundSyntax(nodes: readonly Node[]): void {
	for (const node of nodes) node.enter = enterOf(node);
	for (const node of nodes) chargeOperands(node);
}

/** What the hook charges for entering the node, besides one step. */
export function enterOf({ type, value }: Node): Charge | undefined {
	switch (type) {
		case "name":
			return (input, meter) => meter.readArray(input);
		case "wildcard":
			return spendWildcard;
		case "descendant":
			return (input, meter) => meter.readAll(input, 4);
		case "partial":
			return (_input, meter) => meter.spend(PARTIAL_WORK);
		case "unary":
			return value === "{" ? spendObject : undefined;
		default:
			return undefined;
	}
}

/** What the hook does with the node's value, depending on where the value is used. */
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
	if (node.type === "binary" && node.value === "&") addLeave(node, refuseLongText);
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

/** As a condition, a node that cannot be a list is free. */
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
