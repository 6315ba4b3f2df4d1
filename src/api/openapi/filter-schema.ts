/**
 * A subscription's filter as JSON Schema. The real check is code (events/expressions/filters.ts), which goes
 * level by level.
 */
import type { JsonSchema } from "./operation.ts";

const SELF = { $ref: "#/components/schemas/Filter" };

const ATTRIBUTES: JsonSchema = {
	type: "object",
	minProperties: 1,
	propertyNames: { pattern: "^[a-z0-9]+$" },
	additionalProperties: { type: "string", minLength: 1 },
};

function dialect(name: string, schema: JsonSchema, description: string): JsonSchema {
	return {
		type: "object",
		required: [name],
		additionalProperties: false,
		properties: { [name]: { ...schema, description } },
	};
}

export const FILTER: JsonSchema = {
	description: "One condition, in exactly one dialect. Filters can nest at most 8 levels deep.",
	oneOf: [
		dialect("exact", ATTRIBUTES, "Each attribute has exactly this value."),
		dialect("prefix", ATTRIBUTES, "Each attribute begins with this text."),
		dialect("suffix", ATTRIBUTES, "Each attribute ends with this text."),
		dialect("all", { type: "array", minItems: 1, items: SELF }, "Every filter of the list holds."),
		dialect("any", { type: "array", minItems: 1, items: SELF }, "At least one filter of the list holds."),
		dialect("not", SELF, "The filter does not hold."),
		dialect("jsonata", { type: "string" }, "JSONata over the whole event; holds when its value is true."),
	],
	examples: [{ prefix: { subject: "scans/" } }, { jsonata: "data.pages < 20" }],
};
