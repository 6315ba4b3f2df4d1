import {
	evaluateExpression,
	jsonOf,
	type JsonEvaluation,
} from "../../../src/events/expressions/expression.ts";

/** As a transform does it: the expression's value as JSON text, or why there is none. */
export async function evaluateToJson(source: string, input: unknown): Promise<JsonEvaluation> {
	return jsonOf(await evaluateExpression(source, input));
}
