/** Builds the OpenAPI 3.1 document from the descriptions. Pure; index.ts calls it once. */
import { toJsonSchema } from "./json-schema.ts";
import {
	type FieldTexts,
	type JsonSchema,
	type NamedSchema,
	type OperationDescription,
	type RequestBody,
	type ResponseDescription,
	TAGS,
	headersOf,
	readText,
} from "./operation.ts";
import { PROBLEM, refusalsOf } from "./refusals.ts";
import { rolesOf, rolesText } from "./roles.ts";
import { FILTER } from "./filter-schema.ts";

export interface OpenApiDocument {
	openapi: string;
	info: Record<string, unknown>;
	paths: Record<string, Record<string, Record<string, unknown>>>;
	components: { schemas: Record<string, JsonSchema> } & Record<string, unknown>;
	[member: string]: unknown;
}

const INFO = {
	title: "Sluice",
	version: "0.1.0",
	license: { name: "MIT", identifier: "MIT" },
	description:
		"Edge webhook router for event-driven model serving. Refusals are RFC 9457 problem documents with a stable `code`. Responses may gain fields.",
};

/** Named schemas of the document, each once. */
class Components {
	readonly schemas: Record<string, JsonSchema> = { Filter: FILTER, Problem: PROBLEM };

	refer({ name, schema, fields, parts = [], plain = {} }: NamedSchema, io: "input" | "output"): JsonSchema {
		for (const part of parts) this.refer(part, io);
		for (const [plainName, make] of Object.entries(plain)) this.schemas[plainName] ??= make();
		const names = new Map<unknown, string>(parts.map((part) => [part.schema, part.name]));
		this.schemas[name] ??= toJsonSchema(schema, { io, fields, name, names });
		return { $ref: `#/components/schemas/${name}` };
	}
}

export function buildDocument(operations: readonly OperationDescription[]): OpenApiDocument {
	const components = new Components();
	const paths: OpenApiDocument["paths"] = {};
	for (const operation of operations) {
		paths[operation.path] = {
			...paths[operation.path],
			[operation.method]: operationObject(operation, components),
		};
	}
	return {
		openapi: "3.1.1",
		info: INFO,
		servers: [{ url: "/", description: "This router" }],
		tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
		security: [{ key: [] }],
		paths,
		components: {
			schemas: components.schemas,
			securitySchemes: {
				key: {
					type: "http",
					scheme: "bearer",
					description:
						"An API key: the root key, which is the Worker's secret `ADMIN_TOKEN`, or a key created with `/v1/keys`. `x-roles` of an operation lists the roles that may use it, for `all` resources or only for their `own`.",
				},
				source: {
					type: "http",
					scheme: "bearer",
					description:
						"The source's secret, where its `auth` is `bearer`, as it is by default. Others say with their `auth` how their requests prove where they come from; `GET /v1/sources/{ref}/setup` has a command for each.",
				},
			},
		},
	};
}

/** Sources may be without a proof, too. */
const OF_SOURCE = [{ source: [] }, {}];

function operationObject(operation: OperationDescription, components: Components): Record<string, unknown> {
	const { id, tag, summary, description, access, body, takes, responses } = operation;
	const roles = rolesOf(operation);
	const said = [description, roles && rolesText(roles)].filter((part) => typeof part === "string");
	return {
		operationId: id,
		tags: [tag],
		summary,
		...(said.length > 0 && { description: said.join("\n\n") }),
		...(roles !== null && { "x-roles": roles }),
		...(access !== undefined && access !== "key" && { security: access === "source" ? OF_SOURCE : [] }),
		parameters: parametersOf(operation),
		...(body !== undefined && { requestBody: requestBodyOf(body, components) }),
		...(takes !== undefined && { requestBody: { content: contentOf(takes) } }),
		responses: {
			...Object.fromEntries(
				Object.entries(responses).map(([status, response]) => [status, responseOf(response, components)]),
			),
			...refusalsOf(operation),
		},
	};
}

function parametersOf({ path, params = {}, query, headers = {} }: OperationDescription): unknown[] {
	const named = [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);
	const { properties = {}, required = [] } =
		query === undefined ? {} : toJsonSchema(query.schema, { io: "input", fields: query.fields });
	return [
		...parameters("path", named, params),
		...Object.entries(properties).map(([name, { description, ...schema }]) => ({
			name,
			in: "query",
			description,
			required: (required as string[]).includes(name),
			schema,
		})),
		...parameters("header", Object.keys(headers), headers),
	];
}

function parameters(where: "path" | "header", names: readonly string[], texts: FieldTexts): unknown[] {
	return names.map((name) => {
		const { text: description, schema } = readText(texts[name] ?? "");
		const isRequired = where === "path";
		return { name, in: where, description, required: isRequired, schema: { type: "string", ...schema } };
	});
}

function requestBodyOf(
	{ schema, optional, alsoTakes = {}, examples }: RequestBody,
	components: Components,
): Record<string, unknown> {
	const named = Object.entries(examples).map(([name, value]) => [name, { value }]);
	const also = Object.entries(alsoTakes).map(([type, description]) => [type, { schema: { description } }]);
	return {
		required: optional !== true,
		content: {
			"application/json": {
				schema: components.refer(schema, "input"),
				...(named.length > 0 && { examples: Object.fromEntries(named) }),
			},
			...Object.fromEntries(also),
		},
	};
}

function contentOf(takes: NonNullable<OperationDescription["takes"]>): Record<string, unknown> {
	const types = Object.entries(takes).map(([type, { text: description, example }]) => [
		type,
		{ schema: { description }, ...(example !== undefined && { examples: { event: { value: example } } }) },
	]);
	return Object.fromEntries(types) as Record<string, unknown>;
}

function responseOf(
	{ text, schema, contentType, headers }: ResponseDescription,
	components: Components,
): Record<string, unknown> {
	const described = { description: text, ...(headers !== undefined && { headers: headersOf(headers) }) };
	if (schema === null && contentType === undefined) return described;
	const content =
		schema === null ? { schema: { type: "string" } } : { schema: components.refer(schema, "output") };
	return { ...described, content: { [contentType ?? "application/json"]: content } };
}
