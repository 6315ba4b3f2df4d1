/** Syntax that JSONata accepts and Sluice refuses, with its position. */
import type { Node } from "./syntax.ts";
import { compileRegExp, type LinearRegExp } from "../bounds/linear-regexp.ts";

export interface SyntaxRefusal {
	message: string;
	/** In characters from 0; null if it is unknown. */
	position: number | null;
}

/** The compiled regular expressions of all literals, or the first refusal. */
export function checkSyntax(
	text: string,
	nodes: readonly Node[],
): { ok: true; regExps: Map<unknown, LinearRegExp> } | ({ ok: false } & SyntaxRefusal) {
	const regExps = new Map<unknown, LinearRegExp>();
	for (const node of nodes) {
		if (node.type === "regex") {
			// `??` and `?:` copy their left side through JSON text, which cannot represent regular expressions.
			if (!(node.value instanceof RegExp)) {
				const message = "a regular expression cannot stand on the left of ?? or ?:";
				return { ok: false, message, position: node.position ?? null };
			}
			const compiled = compileRegExp(node.value);
			if (!compiled.ok) {
				const position = startOf(text, node.value, node.position) + compiled.at;
				return { ok: false, message: `regular expression: ${compiled.message}`, position };
			}
			regExps.set(node.value, compiled.regExp);
			continue;
		}
		const refusal = refuseNode(node);
		if (refusal !== null) return { ok: false, ...refusal };
	}
	return { ok: true, regExps };
}

function refuseNode(node: Node): SyntaxRefusal | null {
	// A token has the position of its end.
	const position = node.position ?? null;
	if (node.type === "variable" && node.value === "eval") {
		const start = position === null ? null : Math.max(0, position - "$eval".length);
		return { message: "$eval is not available", position: start };
	}
	if (node.focus === "then") return { message: "@$then is not available", position };
	if (node.signature !== undefined && !isPlainSignature(node.signature.definition)) {
		const message = "the function signature is too complex; omit it, or use fewer of ?, - and +";
		return { message, position };
	}
	return null;
}

/**
 * JSONata turns the signature of a function into a JavaScript regular expression, which is matched at each call. Only
 * signatures that cannot make it slow are accepted.
 */
function isPlainSignature(signature: string): boolean {
	if (!/^<[bnsloafjxm<>:()?+-]*>$/.test(signature)) return false;
	const repeated = signature.split("+").length - 1;
	const optional = signature.split(/[?-]/).length - 1;
	return repeated <= 1 && optional <= 8;
}

/** Returns the position where the pattern of a literal starts whose token ends at `end`. */
function startOf(text: string, { source, flags }: RegExp, end = text.length): number {
	// JSONata adds the flag g.
	const start = end - (flags.length - 1) - "/".length - source.length;
	const found = text.lastIndexOf(source, Math.max(0, start));
	return found === -1 ? Math.max(0, start) : found;
}
