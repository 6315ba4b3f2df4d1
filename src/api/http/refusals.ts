/** Converts zod's issues to the `errors` of a problem: one entry for each field, in plain words. */
import * as z from "zod";
import type { FieldError } from "../../http/problem.ts";

/**
 * For `safeParse(…, { error: wording })`: replaces messages of zod that are less clear. A schema's
 * own message wins.
 */
export const wording: z.core.$ZodErrorMap = (issue) => {
	switch (issue.code) {
		case "invalid_type":
			return issue.input === undefined ? "is required" : `must be ${TYPES[issue.expected] ?? issue.expected}`;
		case "invalid_value":
			return `one of: ${issue.values.join(", ")}`;
		case "invalid_union":
			return Array.isArray(issue.options) ? `one of: ${issue.options.join(", ")}` : undefined;
		case "too_small":
			if (issue.minimum === 1 && issue.origin in UNITS) return "must not be empty";
			return `must be at least ${issue.minimum}${UNITS[issue.origin] ?? ""}`;
		case "too_big":
			return `must be at most ${issue.maximum}${UNITS[issue.origin] ?? ""}`;
		case "unrecognized_keys": {
			const known = issue.inst instanceof z.ZodObject ? knownFields(issue.inst).join(", ") : "";
			return `unknown field; ${known === "" ? "none are allowed here" : `known here: ${known}`}`;
		}
		case "invalid_format":
		case "not_multiple_of":
		case "invalid_key":
		case "invalid_element":
		case "custom":
			return undefined;
	}
};

/** Leaves out fields that exist only to be refused with a message of their own. */
function knownFields({ shape }: z.ZodObject): string[] {
	return Object.entries(shape)
		.filter(([, field]) => !(field instanceof z.ZodOptional && field.unwrap() instanceof z.ZodNever))
		.map(([name]) => name);
}

const TYPES: Readonly<Record<string, string>> = {
	string: "text",
	number: "a number",
	int: "a whole number",
	boolean: "true or false",
	array: "a list",
	object: "an object",
	record: "an object",
};

/** The unit of the size of a value that is not a number. */
const UNITS: Readonly<Record<string, string>> = { string: " characters long", array: " entries long" };

/** An unknown field gets its own entry with its own path. */
export function toFieldErrors({ issues }: z.ZodError): FieldError[] {
	return issues.flatMap((issue) => {
		const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
		const paths = keys.length > 0 ? keys.map((key) => [...issue.path, key]) : [issue.path];
		return paths.map((path) => ({ path: path.join("."), message: issue.message }));
	});
}
