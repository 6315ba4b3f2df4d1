/** Responses held against /openapi.json, as any client of the document would read it. */
import { Ajv2020 } from "ajv/dist/2020.js";
import type { ValidateFunction } from "ajv/dist/2020.js";

export interface Seen {
	method: string;
	/** With or without a query. */
	path: string;
	status: number;
	contentType: string | null;
	text: string;
}

export interface Document {
	paths: Record<string, Record<string, Operation>>;
	components: { schemas: Record<string, unknown> };
}

export interface Operation {
	operationId: string;
	requestBody?: { content: Record<string, Content> };
	responses: Record<string, { content?: Record<string, Content> }>;
}

export interface Content {
	schema: unknown;
	examples?: Record<string, { value: unknown }>;
}

/** Unknown paths and methods, whose refusals no operation has. */
const ELSEWHERE = [
	"not_found",
	"unauthorized",
	"forbidden",
	"method_not_allowed",
	"source_not_found",
	"source_not_posted",
];

export type Check = (seen: Seen) => string | null;

/** Makes the function that says why a response is not as it is described; null when it is. */
export function checkBy(document: Document): Check {
	const validatorOf = validators(document, (schema) => closed(schema));
	const templates = Object.entries(document.paths).map(([path, operations]) => ({
		pattern: new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
		operations,
	}));
	return ({ method, path, status, contentType, text }) => {
		const [bare = ""] = path.split("?");
		const asked = method === "HEAD" ? "get" : method.toLowerCase();
		// `/v1/deliveries/retry` has the form of `/v1/deliveries/{id}`, too, which takes another method.
		const found = templates.find(({ pattern, operations }) => asked in operations && pattern.test(bare));
		const operation = found?.operations[asked];
		if (method === "OPTIONS" && status === 204) return null;
		if (operation === undefined) {
			if (method === "HEAD") return status < 500 ? null : `status ${status}`;
			const { code } = JSON.parse(text) as { code?: string };
			return ELSEWHERE.includes(code ?? "") ? null : `no route, and the code ${code}`;
		}
		const response = operation.responses[String(status)];
		if (response === undefined) return `status ${status}`;
		const [[described, content] = []] = Object.entries(response.content ?? {});
		// Some publishers want a response without a body.
		if (method === "HEAD") return null;
		if (text === "") return content === undefined || bare.startsWith("/in/") ? null : "no body";
		if (content === undefined) return "a body";
		if (described !== contentType?.split(";")[0]) return `content type ${contentType}`;
		if (described === "text/html") return null;
		const validate = validatorOf(content.schema);
		if (validate(JSON.parse(text))) return null;
		return JSON.stringify(validate.errors);
	};
}

/** Compiles each schema once. `prepare` sees every schema of the document first. */
export function validators(
	{ components }: Document,
	prepare: (schema: unknown) => unknown = (schema) => schema,
): (schema: unknown) => ValidateFunction {
	const ajv = new Ajv2020({
		strict: true,
		strictRequired: false,
		strictTypes: false,
		validateFormats: false,
	});
	ajv.addVocabulary(["components"]);
	ajv.addSchema({ $id: "sluice", components: prepare(components) as Record<string, unknown> });
	const compiled = new Map<string, ValidateFunction>();
	return (schema) => {
		const text = JSON.stringify(prepare(schema)).replaceAll('"#/components', '"sluice#/components');
		const known = compiled.get(text) ?? ajv.compile(JSON.parse(text) as Record<string, unknown>);
		compiled.set(text, known);
		return known;
	};
}

/** The schema of something of which fields are left out. */
export function excerptsOf(schema: unknown): unknown {
	if (Array.isArray(schema)) return schema.map(excerptsOf);
	if (typeof schema !== "object" || schema === null) return schema;
	const entries = Object.entries(schema).filter(
		([key, value]) => key !== "required" || !Array.isArray(value),
	);
	return Object.fromEntries(entries.map(([key, value]) => [key, excerptsOf(value)]));
}

/** Clients have to bear further fields; here each has to be described. */
export function closed(schema: unknown): unknown {
	if (Array.isArray(schema)) return schema.map(closed);
	if (typeof schema !== "object" || schema === null) return schema;
	const entries = Object.entries(schema).map(([key, value]) => [key, closed(value)] as const);
	const isObject = "properties" in schema && "type" in schema && !("additionalProperties" in schema);
	return { ...Object.fromEntries(entries), ...(isObject && { additionalProperties: false }) };
}
