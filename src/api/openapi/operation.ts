/**
 * The description of a route: one `OperationDescription`, next to its resource. It refers to the schemas that
 * check the request, and has the schema of each response. document.ts builds OpenAPI from them. Types and
 * small helpers.
 */
import * as z from "zod";
import { type Code, statusOfCode } from "./codes.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete" | "options";

export const TAGS = {
	Ingest: "Where publishers send events.",
	Sources: "Named ingest URLs, and how their requests are verified and read.",
	Endpoints: "Model versions that events can be sent to.",
	Subscriptions: "Which events go to which endpoint, and what happens to the output.",
	Configuration: "Sources, endpoints and subscriptions as one document.",
	Events: "Publish with an API key, and read stored events.",
	Deliveries: "What happened to each event at each endpoint.",
	"Bulk jobs": "Retries and cancellations of many deliveries.",
	"Dead letters": "Messages of the event queue that could not be routed.",
	Callbacks: "Where model servers post outputs that come later.",
	Keys: "API keys with their roles, and the names of their resources.",
	Audit: "Who has changed what.",
	Router: "The router itself.",
} as const;

/** JSON Schema, as far as this code reads it. */
export interface JsonSchema {
	[keyword: string]: unknown;
	properties?: Record<string, JsonSchema>;
	items?: JsonSchema;
	anyOf?: JsonSchema[];
	oneOf?: JsonSchema[];
	allOf?: JsonSchema[];
}

/**
 * The meaning of a field. `schema` adds what zod does not know (`default`, `examples`, `enum` …); undefined
 * removes a keyword. It is a function if it is expensive to build.
 */
export type FieldText = string | { text: string; schema: JsonSchema | (() => JsonSchema) };

/**
 * Texts by dotted path. Lists and alternatives add no part to the path: `targets.endpoint`, `auth.username`. A
 * test checks that every field has a text.
 */
export type FieldTexts = Readonly<Record<string, FieldText>>;

/** A schema with its name in the document. */
export interface NamedSchema {
	readonly name: string;
	readonly schema: z.ZodType;
	readonly fields: FieldTexts;
	/** Named schemas within it. The document refers to them by name. */
	readonly parts?: readonly NamedSchema[];
	/** Schemas that zod cannot express, by the names that texts use for them. */
	readonly plain?: Readonly<Record<string, () => JsonSchema>>;
}

export interface RequestBody {
	/** The schema of `application/json`. */
	readonly schema: NamedSchema;
	/** May be left out, and then means `{}`. */
	readonly optional?: true;
	/** Other accepted content types, with what they contain. */
	readonly alsoTakes?: Readonly<Record<string, string>>;
	/** Bodies that can be sent unchanged; tests send them. The first one is shown. */
	readonly examples: Readonly<Record<string, unknown>>;
}

/** `schema` null: no body, or with `contentType` a body that is not JSON. */
export interface ResponseDescription {
	readonly text: string;
	readonly schema: NamedSchema | null;
	readonly contentType?: string;
	/** Response headers specific to this response. */
	readonly headers?: FieldTexts;
}

export interface OperationDescription {
	readonly method: Method;
	/** In OpenAPI's spelling: `/v1/sources/{ref}`. */
	readonly path: string;
	readonly id: string;
	readonly tag: keyof typeof TAGS;
	readonly summary: string;
	readonly description?: string;
	/**
	 * What a request needs. `key` (the default): an API key whose role may use the route. `source`: the
	 * source's proof. `url`: the token in the path. `open`: nothing, once the router has a root key. `always`:
	 * nothing at all.
	 */
	readonly access?: "key" | "source" | "url" | "open" | "always";
	/** Texts of the path parameters. */
	readonly params?: FieldTexts;
	readonly query?: NamedSchema;
	/** Request headers specific to this route. */
	readonly headers?: FieldTexts;
	readonly body?: RequestBody;
	/** A body that no schema of the description checks: what each content type contains. */
	readonly takes?: Readonly<Record<string, { readonly text: string; readonly example?: unknown }>>;
	readonly responses: Readonly<Record<number, ResponseDescription>>;
	/** In addition to those that follow from the other fields: see `codesOf`. */
	readonly codes?: readonly Code[];
}

const JSON_BODY_CODES: readonly Code[] = [
	"invalid_json",
	"body_incomplete",
	"body_too_large",
	"unsupported_media_type",
	"unsupported_content_encoding",
	"invalid_request",
];

/** All error codes of the route, without duplicates, ordered by status. */
export function codesOf({ access, query, body, codes = [] }: OperationDescription): Code[] {
	const all: Code[] = [
		...codes,
		...(query === undefined ? [] : (["invalid_query"] as const)),
		...(body === undefined ? [] : JSON_BODY_CODES),
		...(access === undefined || access === "key" ? (["unauthorized", "forbidden"] as const) : []),
		...(access === "always" ? [] : (["not_configured"] as const)),
		"internal_error",
		"unavailable",
	];
	return [...new Set(all)].sort((left, right) => statusOfCode(left) - statusOfCode(right));
}

export const NOTHING: ResponseDescription = { text: "Deleted.", schema: null };

/** The response of a list: one page. */
export function pageOf(item: NamedSchema): NamedSchema {
	return {
		name: `${item.name}Page`,
		schema: z.strictObject({ data: z.array(item.schema), next_cursor: z.string().nullable() }),
		fields: {
			data: "The items of this page, newest first. A page with fewer than `limit`, or none, need not be the last.",
			next_cursor: "Send it as `cursor` to get the next page; null at the end.",
		},
		parts: [item],
	};
}

/** A schema with the texts of its fields. */
export function namedObject(
	name: string,
	schema: z.ZodObject,
	fields: FieldTexts,
	within: Pick<NamedSchema, "parts" | "plain"> = {},
): NamedSchema {
	return { name, schema, fields: pick(fields, Object.keys(schema.shape)), ...within };
}

/** A schema for the value of one field, with the texts of its parts: `auth.type` becomes `type`. */
export function partOf(name: string, schema: z.ZodType, field: string, fields: FieldTexts): NamedSchema {
	const own = Object.entries(fields).filter(([path]) => path.startsWith(`${field}.`));
	return {
		name,
		schema,
		fields: Object.fromEntries(own.map(([path, text]) => [path.slice(field.length + 1), text])),
	};
}

/** A text and the rest of a field's schema. */
export function readText(text: FieldText): { text: string; schema: JsonSchema } {
	if (typeof text === "string") return { text, schema: {} };
	return { text: text.text, schema: typeof text.schema === "function" ? text.schema() : text.schema };
}

/** Returns the headers of a response as the document has them, by name. */
export function headersOf(texts: FieldTexts): Record<string, unknown> {
	return Object.fromEntries(
		Object.entries(texts).map(([name, said]) => {
			const { text: description, schema } = readText(said);
			return [name, { description, schema: { type: "string", ...schema } }];
		}),
	);
}

/** The named texts of many. */
export function pick(fields: FieldTexts, names: readonly string[]): FieldTexts {
	return Object.fromEntries(
		Object.entries(fields).filter(([path]) =>
			names.some((name) => path === name || path.startsWith(`${name}.`)),
		),
	);
}
