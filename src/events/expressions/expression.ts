/**
 * JSONata expressions: compiled once and cached, limited in their work (meter.ts), evaluated to a value or an error.
 */
import { ByteCache } from "./byte-cache.ts";
import { Meter } from "./bounds/meter.ts";
import { shortcutOf } from "./plain-path.ts";
import { type Evaluation, makeProgram } from "./program.ts";
import { toJson } from "./bounds/value-text.ts";

export type { Evaluation } from "./program.ts";

/** Longest source text of an expression, in characters. */
export const MAX_EXPRESSION_LENGTH = 4_096;

export type TellWork = (units: number) => void;

/** A compiled expression. `evaluate` never throws. */
export interface Expression {
	readonly source: string;
	/** `tell` receives the work that was done, in units of the meter. */
	evaluate(input: unknown, tell?: TellWork): Promise<Evaluation>;
}

export type Compilation =
	| { ok: true; expression: Expression }
	/** `position` counts characters from 0. */
	| { ok: false; message: string; position: number | null };

/** About a thousand expressions without regular expressions, or a hundred with them. */
const compiled = new ByteCache<Compilation>(32 * 2 ** 20);
const BYTES_PER_CHARACTER = 2;
const BYTES_PER_REFUSAL = 500;

/** Compiles `source`, or returns why it is invalid. Equal sources are compiled once per isolate. */
export function compileExpression(source: string): Compilation {
	if (source.length > MAX_EXPRESSION_LENGTH) {
		const message = `an expression can have at most ${MAX_EXPRESSION_LENGTH} characters`;
		return { ok: false, message, position: MAX_EXPRESSION_LENGTH };
	}
	const known = compiled.get(source);
	if (known !== undefined) return known;
	const made = makeProgram(source);
	const bytes = made.ok ? made.program.bytes : BYTES_PER_REFUSAL;
	const compilation: Compilation = made.ok
		? { ok: true, expression: expressionOf(source, made.program) }
		: made;
	compiled.set(source, compilation, BYTES_PER_CHARACTER * source.length + bytes);
	return compilation;
}

function expressionOf(
	source: string,
	program: Extract<ReturnType<typeof makeProgram>, { ok: true }>["program"],
): Expression {
	const shortcut = shortcutOf(program.ast);
	return {
		source,
		async evaluate(input, tell) {
			const found = shortcut?.(input);
			if (found !== undefined) return { ok: true, value: found.value };
			const meter = new Meter();
			const evaluation = await program.evaluate(input, meter);
			tell?.(meter.spent);
			return evaluation;
		},
	};
}

/**
 * Compiles and evaluates. A stored expression that does not compile counts as an overrun, because retrying cannot help.
 */
export async function evaluateExpression(
	source: string,
	input: unknown,
	tell?: TellWork,
): Promise<Evaluation> {
	const compilation = compileExpression(source);
	if (compilation.ok) return compilation.expression.evaluate(input, tell);
	const { message, position } = compilation;
	const where = position === null ? "" : ` (at character ${position})`;
	return { ok: false, message: `${message}${where}`, overrun: true };
}

export type JsonEvaluation = { ok: true; json: string } | Extract<Evaluation, { ok: false }>;

/** Returns the value of an evaluation as JSON text, or an error if it is missing, not JSON, or too large. */
export function jsonOf(evaluation: Evaluation): JsonEvaluation {
	if (!evaluation.ok) return evaluation;
	const made = toJson(evaluation.value);
	return made.ok ? made : { ...made, overrun: false };
}
