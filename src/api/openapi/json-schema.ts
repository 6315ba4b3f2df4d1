/** Converts zod schemas to JSON Schema 2020-12, and adds the texts of their fields. */
import * as z from "zod";
import { filterSchema } from "../../events/expressions/filters.ts";
import { type FieldText, type FieldTexts, type JsonSchema, readText } from "./operation.ts";

/** Filters are checked by code, so zod cannot describe them. */
const FILTER: readonly [unknown, string] = [filterSchema, "Filter"];

interface Conversion {
	/** "input" for data that is sent to the router, "output" for data that it returns. */
	io: "input" | "output";
	fields: FieldTexts;
	/** The name of the schema, if it refers to itself. */
	name?: string;
	/** Named schemas within it. */
	names?: ReadonlyMap<unknown, string>;
}

export function toJsonSchema(
	schema: z.ZodType,
	{ io, fields, name: ownName, names = new Map() }: Conversion,
): JsonSchema {
	const known = new Map<unknown, string>([FILTER, ...names]);
	const {
		$schema: _,
		$defs,
		...converted
	} = z.toJSONSchema(schema, {
		target: "draft-2020-12",
		io,
		unrepresentable: "any",
		override: ({ zodSchema, jsonSchema }) => {
			const name = known.get(zodSchema);
			if (name !== undefined) replaceAll(jsonSchema, { $ref: refTo(name) });
		},
	}) as JsonSchema & { $defs?: Record<string, JsonSchema> };
	const refs = new Map(Object.entries($defs ?? {}).map(([key, { $ref }]) => [`#/$defs/${key}`, $ref]));
	if (ownName !== undefined) refs.set("#", refTo(ownName));
	return titled(tidy(relink(converted, refs) as JsonSchema, fields, "", io === "output"), ownName);
}

/**
 * Gives titles to alternatives that differ by `type`. Generated clients use them as names: `SourceAuthBearer`.
 */
function titled(schema: JsonSchema, name: string | undefined): JsonSchema {
	if (name === undefined || schema.oneOf === undefined) return schema;
	const oneOf = schema.oneOf.map((part) => {
		const { const: value, enum: values = [value] } = part.properties?.["type"] ?? {};
		const [first] = values as unknown[];
		return typeof first === "string" ? { title: name + pascal(first), ...part } : part;
	});
	return { ...schema, oneOf };
}

function pascal(word: string): string {
	return word.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function refTo(name: string): string {
	return `#/components/schemas/${name}`;
}

/** zod refers to a recursive schema by its place within the schema; here it has a name. */
function relink(part: unknown, refs: ReadonlyMap<unknown, unknown>): unknown {
	if (Array.isArray(part)) return part.map((inner) => relink(inner, refs));
	if (typeof part !== "object" || part === null) return part;
	return Object.fromEntries(
		Object.entries(part).map(([key, value]) => [
			key,
			key === "$ref" ? (refs.get(value) ?? value) : relink(value, refs),
		]),
	);
}

function replaceAll(target: object, source: JsonSchema): void {
	for (const key of Object.keys(target)) Reflect.deleteProperty(target, key);
	Object.assign(target, source);
}

/**
 * Adds the texts, and removes fields that exist only to be refused. A response (`isOpen`) has no defaults and
 * may gain fields.
 */
function tidy(schema: JsonSchema, fields: FieldTexts, path: string, isOpen: boolean): JsonSchema {
	const inner = (part: JsonSchema, at = path) => tidy(part, fields, at, isOpen);
	const { additionalProperties, ...rest } = withoutNoise(schema);
	return {
		...rest,
		...(additionalProperties !== undefined &&
			!(isOpen && additionalProperties === false) && { additionalProperties }),
		...(schema.properties !== undefined && {
			properties: Object.fromEntries(
				Object.entries(schema.properties)
					.filter(([, property]) => !isNever(property))
					.map(([name, property]) => {
						const at = path === "" ? name : `${path}.${name}`;
						const { default: value, ...shown } = described(inner(property, at), fields[at]);
						return [name, value === undefined || isOpen ? shown : { ...shown, default: value }];
					}),
			),
		}),
		...(schema.items !== undefined && { items: inner(schema.items) }),
		...(schema.anyOf !== undefined && { anyOf: schema.anyOf.map((part) => inner(part)) }),
		...(schema.oneOf !== undefined && { oneOf: schema.oneOf.map((part) => inner(part)) }),
		...(schema.allOf !== undefined && { allOf: schema.allOf.map((part) => inner(part)) }),
	};
}

/** Removes patterns that a format already implies, and bounds that every whole number has. */
function withoutNoise(schema: JsonSchema): JsonSchema {
	const { format, pattern, minimum, maximum, ...rest } = schema;
	return {
		...rest,
		...(format !== undefined && { format }),
		...(typeof pattern === "string" && format === undefined && { pattern: portable(pattern) }),
		...(minimum !== undefined && minimum !== Number.MIN_SAFE_INTEGER && { minimum }),
		...(maximum !== undefined && maximum !== Number.MAX_SAFE_INTEGER && { maximum }),
	};
}

/**
 * Replaces the names of Unicode classes, which the regular expressions of Python and others do not support.
 */
function portable(pattern: string): string {
	return pattern.replaceAll(String.raw`\p{Cc}`, String.raw`\x00-\x1f\x7f-\x9f`);
}

function described(schema: JsonSchema, text: FieldText | undefined): JsonSchema {
	if (text === undefined) return schema;
	const { text: description, schema: more } = readText(text);
	return { ...schema, ...more, description };
}

function isNever(schema: JsonSchema): boolean {
	const { not } = schema;
	return typeof not === "object" && not !== null && Object.keys(not).length === 0;
}
