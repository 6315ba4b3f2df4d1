/**
 * zod schemas for expression fields. An invalid expression is refused, with the position of the error, before it is
 * stored.
 */
import * as z from "zod";
import { compileExpression } from "./expression.ts";

/** A JSONata expression, validated by compiling it. */
export const expressionField = z.string().superRefine((source, context) => {
	const message = refuseExpression(source, 0);
	if (message !== null) context.addIssue({ code: "custom", message });
});

/** A literal, or JSONata if it begins with `=`. */
export const literalOrExpressionField = z
	.string()
	.min(1)
	.superRefine((text, context) => {
		const message = text.startsWith("=") ? refuseExpression(text.slice(1), 1) : null;
		if (message !== null) context.addIssue({ code: "custom", message });
	});

/** `offset`: the number of characters before the expression, so that the position refers to the field. */
function refuseExpression(source: string, offset: number): string | null {
	if (source.trim() === "") return "the expression is empty";
	const compiled = compileExpression(source);
	if (compiled.ok) return null;
	const where = compiled.position === null ? "" : ` (at character ${compiled.position + offset})`;
	return `not valid JSONata: ${compiled.message}${where}`;
}
