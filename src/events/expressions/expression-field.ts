/** Expressions as fields of what people write: refused, with the place of the mistake, before they are stored. */
import * as z from "zod";
import { compileExpression } from "./expression.ts";

/** JSONata, compiled to see that it is. */
export const expressionField = z.string().superRefine((source, context) => {
	const message = refuseExpression(source, 0);
	if (message !== null) context.addIssue({ code: "custom", message });
});

/** A literal, or JSONata when it begins with `=`. */
export const literalOrExpressionField = z
	.string()
	.min(1)
	.superRefine((text, context) => {
		const message = text.startsWith("=") ? refuseExpression(text.slice(1), 1) : null;
		if (message !== null) context.addIssue({ code: "custom", message });
	});

/** `offset`: what stands before the expression in the field, so that the position is one in the field. */
function refuseExpression(source: string, offset: number): string | null {
	if (source.trim() === "") return "the expression is empty";
	const compiled = compileExpression(source);
	if (compiled.ok) return null;
	const where = compiled.position === null ? "" : ` (at character ${compiled.position + offset})`;
	return `not valid JSONata: ${compiled.message}${where}`;
}
