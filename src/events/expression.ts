/**
 * JSONata expressions: compiled once, bounded in size and in steps. Workers freeze the clock while code runs,
 * so a time limit could never fire; evaluation steps are counted instead.
 */
import jsonata from "jsonata";

/** Longest source text of an expression, in characters. */
export const MAX_EXPRESSION_LENGTH = 4_096;
/** Steps of the evaluator one evaluation may take: some 100 ms of CPU at the worst. */
const MAX_STEPS = 200_000;
/** Nested evaluations, far below the depth at which the stack ends. */
const MAX_DEPTH = 500;
/** The longest array an expression may make. */
const MAX_SEQUENCE = 100_000;

/** A compiled expression. `evaluate` answers a value, or the reason there is none. */
export interface Expression {
	readonly source: string;
	evaluate(input: unknown): Promise<Evaluation>;
}

/** `value` is undefined when the expression matches nothing. */
export type Evaluation = { ok: true; value: unknown } | { ok: false; message: string };

export type Compilation =
	| { ok: true; expression: Expression }
	/** `position` counts characters from 0. */
	| { ok: false; message: string; position: number | null };

const compiled = new Map<string, Compilation>();
/** Enough for the expressions of a large routing table; the oldest are compiled anew. */
const MAX_COMPILED = 20_000;

/** Compiles `source`, or says why it is no JSONata. Equal sources are compiled once per isolate. */
export function compileExpression(source: string): Compilation {
	const known = compiled.get(source);
	if (known !== undefined) return known;
	const compilation = compile(source);
	if (compiled.size >= MAX_COMPILED) compiled.clear();
	compiled.set(source, compilation);
	return compilation;
}

/** Compiles and evaluates to JSON text; a value that is missing, or no JSON, is a failure. */
export async function evaluateToJson(
	source: string,
	input: unknown,
): Promise<{ ok: true; json: string } | { ok: false; message: string }> {
	const compiled = compileExpression(source);
	if (!compiled.ok) return { ok: false, message: compiled.message };
	const evaluation = await compiled.expression.evaluate(input);
	if (!evaluation.ok) return evaluation;
	try {
		const json: string | undefined = JSON.stringify(evaluation.value);
		return json === undefined ? { ok: false, message: "the expression gave no value" } : { ok: true, json };
	} catch {
		// JSONata's functions are objects that refer to themselves.
		return { ok: false, message: "the expression gave a function, which is no JSON" };
	}
}

function compile(source: string): Compilation {
	if (source.length > MAX_EXPRESSION_LENGTH) {
		return {
			ok: false,
			message: `an expression has at most ${MAX_EXPRESSION_LENGTH} characters`,
			position: MAX_EXPRESSION_LENGTH,
		};
	}
	try {
		const program = jsonata(source, { stack: MAX_DEPTH, sequence: MAX_SEQUENCE });
		limitSteps(program);
		program.registerFunction("clone", copy, "<(oa)-:o>");
		const path = plainPath(program);
		const evaluateAny = async (input: unknown): Promise<Evaluation> =>
			(path && walk(path, input)) ?? evaluate(program, input);
		return { ok: true, expression: { source, evaluate: evaluateAny } };
	} catch (error) {
		return { ok: false, ...describe(error) };
	}
}

async function evaluate(program: jsonata.Expression, input: unknown): Promise<Evaluation> {
	try {
		const value: unknown = await program.evaluate(input);
		return { ok: true, value: plain(value) };
	} catch (error) {
		return { ok: false, message: describe(error).message };
	}
}

/**
 * The names of an expression that is nothing but a path, such as `body.record.id`; null for any other. Most
 * expressions are, and walking the path takes a hundredth of the evaluator's time.
 */
function plainPath(program: jsonata.Expression): string[] | null {
	// The library's types do not know the node that a path is.
	const { type, steps, ...rest }: { type: string; steps?: jsonata.ExprNode[] } = program.ast();
	if (type !== "path" || steps === undefined || Object.keys(rest).length > 0) return null;
	const names: string[] = [];
	for (const { type, value, position: _, ...more } of steps) {
		if (type !== "name" || typeof value !== "string" || Object.keys(more).length > 0) return null;
		names.push(value);
	}
	return names;
}

/** null when an array is in the way: what a path means there is for the evaluator to say. */
function walk(path: readonly string[], input: unknown): Evaluation | null {
	let at = input;
	for (const name of path) {
		if (Array.isArray(at)) return null;
		at =
			typeof at === "object" && at !== null && Object.hasOwn(at, name)
				? at[name as keyof typeof at]
				: undefined;
	}
	return Array.isArray(at) ? null : { ok: true, value: at };
}

/** JSONata's own timeout reads the clock; this hook, which its evaluator calls for every node, does not. */
function limitSteps(program: jsonata.Expression): void {
	const steps = new WeakMap<object, number>();
	const count = (_node: unknown, _input: unknown, { base }: { base: object }): void => {
		const taken = (steps.get(base) ?? 0) + 1;
		if (taken > MAX_STEPS) throw new Error(`stopped after ${MAX_STEPS} steps`);
		steps.set(base, taken);
	};
	// The library looks the hook up under a symbol, which its types do not know as a name.
	program.assign(Symbol.for("jsonata.__evaluate_entry") as unknown as string, count);
}

/** What `| … | … |` changes is a copy. The library's own goes by way of text, and rounds the numbers on it. */
function copy(value: unknown): unknown {
	if (typeof value !== "object" || value === null || JSON.isRawJSON(value)) return value;
	if (Array.isArray(value)) return value.map(copy);
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copy(inner)]));
}

/** JSONata marks arrays it made with extra properties; a value that leaves here carries none. */
function plain(value: unknown): unknown {
	return Array.isArray(value) ? value.slice() : value;
}

function describe(error: unknown): { message: string; position: number | null } {
	if (typeof error !== "object" || error === null) return { message: String(error), position: null };
	const message = "message" in error ? String(error.message) : "evaluation failed";
	const position = "position" in error && typeof error.position === "number" ? error.position : null;
	return { message, position };
}
