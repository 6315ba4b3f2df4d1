/**
 * JSONata with limits: an expression is parsed, refused if its work cannot be limited, and evaluated with a meter.
 * Evaluations return errors as values and never throw.
 */
import jsonata from "jsonata";
import type { Environment } from "./bounds/call.ts";
import { boundSyntax } from "./syntax/bound-syntax.ts";
import { definitions, ENTRY_HOOK, EXIT_HOOK } from "./functions/functions.ts";
import type { LinearRegExp } from "./bounds/linear-regexp.ts";
import { MeteredRegExp } from "./bounds/metered-regexp.ts";
import { copy } from "./functions/list-functions.ts";
import { MAX_ARRAY, MAX_DEPTH, Meter, STEP } from "./bounds/meter.ts";
import { replaceSyntax } from "./syntax/replace-syntax.ts";
import { operatorHint } from "./syntax/operator-hint.ts";
import { checkSyntax, type SyntaxRefusal } from "./syntax/refuse-syntax.ts";
import { allNodes, type Node } from "./syntax/syntax.ts";
import { withGlobal } from "./with-global.ts";

/** `value` is undefined when the expression matches nothing. */
export type Evaluation =
	| { ok: true; value: unknown }
	/** `overrun`: it exceeded a limit, or cannot be evaluated at all. A retry cannot help. */
	| { ok: false; message: string; overrun: boolean };

export interface Program {
	ast: Node;
	/** Its estimated size in memory. */
	bytes: number;
	/** Never throws. `meter` must be new; afterwards it has the work that was done. */
	evaluate(input: unknown, meter: Meter): Promise<Evaluation>;
}

/** The variable in which JSONata carries the meter of an evaluation. No expression can contain this name. */
const METER = "meter of this evaluation";

const BYTES_PER_PROGRAM = 16_000;
const BYTES_PER_NODE = 300;

/** Parses and checks an expression. Never throws. */
export function makeProgram(text: string): { ok: true; program: Program } | ({ ok: false } & SyntaxRefusal) {
	try {
		const expression = parse(text);
		// The library's types know only some of the nodes.
		const ast = expression.ast() as unknown as Node;
		const nodes = allNodes(ast);
		const checked = checkSyntax(text, nodes);
		if (!checked.ok) return checked;
		const { regExps } = checked;
		const changesCopies = nodes.some(({ type }) => type === "transform");
		const groupsTuples = nodes.some(({ group }) => group !== undefined) && nodes.some(({ tuple }) => tuple);
		boundSyntax(nodes);
		replaceSyntax(nodes);
		const hasExits = allNodes(ast).some(({ leave }) => leave !== undefined);
		for (const [name, definition] of definitions) expression.assign(name, definition);
		expression.assign(ENTRY_HOOK, (node: Node, value: unknown, { base }: Environment) => {
			const meter = base.meter ?? begin(base, regExps, groupsTuples);
			meter.spend(STEP + 3 * (node.frames ?? 0));
			node.enter?.(value, meter);
		});
		if (hasExits) {
			expression.assign(EXIT_HOOK, (node: Node, _value: unknown, { base }: Environment, result: unknown) => {
				if (base.meter !== undefined) node.leave?.(settled(node, result), base.meter);
			});
		}
		const bytes = [...regExps.values()].reduce((sum, regExp) => sum + regExp.bytes, 0);
		return {
			ok: true,
			program: {
				ast,
				bytes: BYTES_PER_PROGRAM + BYTES_PER_NODE * nodes.length + bytes,
				evaluate: (input, meter) => run(expression, input, meter, changesCopies),
			},
		};
	} catch (error) {
		const refusal = describe(error);
		return { ok: false, ...(operatorHint(text, refusal.position) ?? refusal) };
	}
}

/** JSONata copies the left side of `??` and `?:` through JSON text, which doubles at every level. */
const MAX_COPIED = 200_000;

function parse(text: string): jsonata.Expression {
	let copied = 0;
	const stringify = (value: unknown): string | undefined => {
		const json: string | undefined = JSON_OWN.stringify(value);
		copied += json?.length ?? 0;
		if (copied > MAX_COPIED) throw new Error("the expression has too many levels of ?? or ?:");
		return json;
	};
	const stand = { parse: JSON_OWN.parse, stringify };
	return withGlobal("JSON", stand, () => jsonata(text, { stack: MAX_DEPTH, sequence: MAX_ARRAY }));
}

const JSON_OWN = JSON;

async function run(
	expression: jsonata.Expression,
	input: unknown,
	meter: Meter,
	changesCopies: boolean,
): Promise<Evaluation> {
	try {
		// `|$$|…|` would change the input itself, which others read too.
		const own = changesCopies ? copy(input, meter) : input;
		const value: unknown = await expression.evaluate(own, { [METER]: meter });
		meter.close();
		return { ok: true, value: plain(value) };
	} catch (error) {
		meter.close();
		const { message } = describe(error);
		const reason = meter.overrun ?? (isOverrun(error) ? message : null);
		return reason === null
			? { ok: false, message, overrun: false }
			: { ok: false, message: reason, overrun: true };
	}
}

/** Called at the first step: replaces JSONata's unmetered functions for this evaluation. */
function begin(
	base: Environment["base"],
	regExps: ReadonlyMap<unknown, LinearRegExp>,
	groupsTuples: boolean,
): Meter {
	const meter = base.lookup(METER);
	if (!(meter instanceof Meter)) throw new Error("an expression is evaluated without a meter");
	base.meter = meter;
	base.createSequence = sequencesOf(meter, groupsTuples);
	base.RegexEngine = function (literal: unknown): MeteredRegExp {
		const regExp = regExps.get(literal);
		if (regExp === undefined) throw new Error("a regular expression that was not compiled");
		return new MeteredRegExp(regExp, meter);
	};
	return meter;
}

interface Sequence extends Array<unknown> {
	sequence: boolean;
	tupleStream?: boolean;
}

/** JSONata collects its results in arrays which it marks with a `push` method of their own. */
function sequencesOf(meter: Meter, groupsTuples: boolean): (...first: unknown[]) => unknown[] {
	const push = function (this: Sequence, item: unknown): number {
		const { length } = this;
		if (length >= MAX_ARRAY) meter.makeArray(length + 1);
		if (length >= meter.longest) meter.longest = length + 1;
		meter.spend(1);
		if (this.tupleStream === true && typeof item === "object" && item !== null) {
			// Grouping tuples copies each variable and joins it to a copy of all the previous ones.
			meter.spend(Object.keys(item).length * (groupsTuples ? 2 + length / 4 : 2));
		}
		this[length] = item;
		return length + 1;
	};
	return (...first) => {
		meter.spend(2);
		const sequence = Object.assign([] as unknown[], { push, sequence: true }) as Sequence;
		if (first.length === 1) sequence.push(first[0]);
		return sequence;
	};
}

/** The value of a node as it will be used: a sequence of one becomes its item. JSONata does this after the hook. */
function settled({ keepArray }: Node, result: unknown): unknown {
	if (!Array.isArray(result) || !("sequence" in result) || "tupleStream" in result) return result;
	if (result.length === 0) return undefined;
	return result.length === 1 && keepArray !== true && !("keepSingleton" in result) ? result[0] : result;
}

/** JSONata marks arrays that it made with extra properties. They are removed from results. */
function plain(value: unknown): unknown {
	return Array.isArray(value) ? value.slice() : value;
}

/** Errors of JSONata's own limits on depth and arrays, and of the JavaScript stack. */
function isOverrun(error: unknown): boolean {
	if (error instanceof RangeError) return true;
	const code = typeof error === "object" && error !== null && "code" in error ? error.code : null;
	return code === "D1011" || code === "D2014" || code === "D2015";
}

const MAX_MESSAGE = 300;

function describe(error: unknown): SyntaxRefusal {
	if (typeof error !== "object" || error === null) {
		return { message: String(error).slice(0, MAX_MESSAGE), position: null };
	}
	const message = "message" in error ? String(error.message) : "the evaluation failed";
	const position = "position" in error && typeof error.position === "number" ? error.position : null;
	return { message: message.slice(0, MAX_MESSAGE), position };
}
