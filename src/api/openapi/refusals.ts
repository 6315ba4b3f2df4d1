/** The responses of an operation that refuses, and the problem document that they have in common. */
import { CODES, type Code, statusOfCode } from "./codes.ts";
import {
	type FieldTexts,
	type JsonSchema,
	type OperationDescription,
	codesOf,
	headersOf,
} from "./operation.ts";

/** Returns one response for each status, with the codes that come with it. */
export function refusalsOf(operation: OperationDescription): Record<string, unknown> {
	const byStatus = Map.groupBy(codesOf(operation), statusOfCode);
	return Object.fromEntries([...byStatus].map(([status, codes]) => [status, refusalOf(status, codes)]));
}

const RETRY_AFTER: FieldTexts = {
	"Retry-After": { text: "Send the request again after this many seconds.", schema: { type: "integer" } },
};
const HEADERS_BY_STATUS: Readonly<Record<number, FieldTexts>> = {
	401: { "WWW-Authenticate": "The expected authentication scheme, if there is one." },
	405: { Allow: "The methods that the path has; absent if it has none." },
	503: RETRY_AFTER,
};
/** In addition to the codes with status 503. */
const PASSING_CODES: readonly Code[] = ["event_not_routed", "idempotency_in_progress"];

function refusalOf(status: number, codes: readonly Code[]): Record<string, unknown> {
	const headers = {
		...HEADERS_BY_STATUS[status],
		...(PASSING_CODES.some((code) => codes.includes(code)) && RETRY_AFTER),
	};
	const schema = {
		allOf: [{ $ref: "#/components/schemas/Problem" }, { properties: { code: { enum: codes } } }],
	};
	return {
		description: codes.map((code) => `\`${code}\``).join(", "),
		...(Object.keys(headers).length > 0 && { headers: headersOf(headers) }),
		content: { "application/problem+json": { schema } },
	};
}

/** The schema of `Problem`. */
export const PROBLEM: JsonSchema = {
	type: "object",
	description: "A refusal (RFC 9457).",
	required: ["type", "title", "status", "code", "detail"],
	properties: {
		type: { type: "string", description: "Always `about:blank`. Use `code` to tell refusals apart." },
		title: { type: "string", description: "The code in words." },
		status: { type: "integer", description: "The HTTP status." },
		code: {
			description: "What was refused, for programs. Stable.",
			oneOf: Object.entries(CODES).map(([code, [, description]]) => ({ const: code, description })),
		},
		detail: { type: "string", description: "What was refused, for people. May change." },
		errors: {
			type: "array",
			description: "One entry for each bad field.",
			items: {
				type: "object",
				required: ["path", "message"],
				properties: {
					path: { type: "string", description: "The field in dotted form; empty for the whole body." },
					message: { type: "string", description: "What is wrong with it." },
				},
			},
		},
	},
};
