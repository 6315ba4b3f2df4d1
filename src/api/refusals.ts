/** How zod's findings become the `errors` of a problem: one entry a field, in words for whoever sent it. */
import * as z from "zod";
import type { FieldError } from "../problem.ts";

/** For `safeParse(…, { error: wording })`: what zod would say less clearly. A schema's own message wins. */
export const wording: z.core.$ZodErrorMap = (issue) => {
	if (issue.code === "invalid_type" && issue.input === undefined) return "is required";
	if (issue.code === "unrecognized_keys" && issue.inst instanceof z.ZodObject) {
		return `unknown field; known here: ${Object.keys(issue.inst.shape).join(", ")}`;
	}
	return undefined;
};

/** An unknown field gets an entry of its own, with its own path. */
export function toFieldErrors({ issues }: z.ZodError): FieldError[] {
	return issues.flatMap((issue) => {
		const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
		const paths = keys.length > 0 ? keys.map((key) => [...issue.path, key]) : [issue.path];
		return paths.map((path) => ({ path: path.join("."), message: issue.message }));
	});
}
