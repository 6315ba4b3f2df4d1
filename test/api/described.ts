/** Responses held against the description of their route: in workerd, where the zod schemas themselves do it. */
import { statusOfCode, isCode } from "../../src/api/openapi/codes.ts";
import { type OperationDescription, codesOf } from "../../src/api/openapi/operation.ts";
import { OPERATIONS } from "../../src/api/openapi/operations.ts";

interface Seen {
	method: string;
	/** With or without a query. */
	path: string;
	status: number;
	contentType: string | null;
	text: string;
	/** Left out: they are not looked at. */
	headers?: Headers;
}

const TEMPLATES = OPERATIONS.map((operation) => ({
	operation,
	pattern: new RegExp(`^${operation.path.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
}));

/** null for a path or a method that no route has. */
export function findOperation(method: string, path: string): OperationDescription | null {
	const [bare = ""] = path.split("?");
	// A HEAD is what the GET would be, without its body.
	const asked = method === "HEAD" ? "get" : method.toLowerCase();
	return (
		TEMPLATES.find(({ operation, pattern }) => operation.method === asked && pattern.test(bare))?.operation ??
		null
	);
}

/** Why the response is not as it is described; null when it is. */
export function undescribed(seen: Seen): string | null {
	const { method, path, status, contentType, text, headers } = seen;
	const operation = findOperation(method, path);
	if (operation === null) return undescribedElsewhere(seen);
	if (status >= 400) {
		if (method === "HEAD")
			return codesOf(operation).some((code) => statusOfCode(code) === status) ? null : `status ${status}`;
		if (contentType !== "application/problem+json") return `a refusal as ${contentType}`;
		return (
			undescribedProblem(text, status, codesOf(operation)) ??
			(headers === undefined || text.includes(NO_METHOD) ? null : missingHeader(status, headers))
		);
	}
	const described = operation.responses[status];
	if (described === undefined) return `status ${status}`;
	const isTagged = described.headers?.["ETag"] !== undefined;
	if (headers !== undefined && headers.has("etag") !== isTagged) return isTagged ? "no ETag" : "an ETag";
	if (described.schema === null) {
		return described.contentType !== undefined || text === "" ? null : "a body";
	}
	if (text === "")
		return method === "HEAD" || described.schema.name === "PublisherResponse" ? null : "no body";
	const parsed = described.schema.schema.safeParse(JSON.parse(text));
	return parsed.success ? null : `${described.schema.name}: ${parsed.error.message}`;
}

/** What clients need beside the problem, by its status. */
const NEEDED: Readonly<Record<number, string>> = { 405: "allow", 503: "retry-after" };

/** Allows no method at all, and workerd sends no empty header. */
const NO_METHOD = '"code":"source_not_posted"';

function missingHeader(status: number, headers: Headers): string | null {
	const name = NEEDED[status];
	return name === undefined || headers.has(name) ? null : `no ${name}`;
}

const PROBLEM_MEMBERS = ["type", "title", "status", "code", "detail", "errors"];

function undescribedProblem(text: string, status: number, codes: readonly string[]): string | null {
	const problem = JSON.parse(text) as Record<string, unknown>;
	const { code, detail, errors = [] } = problem;
	if (typeof code !== "string" || !isCode(code)) return `the unknown code ${String(code)}`;
	if (!codes.includes(code)) return `the code ${code}`;
	if (status !== statusOfCode(code) || problem["status"] !== status) return `status ${status} for ${code}`;
	if (typeof detail !== "string" || detail === "" || problem["type"] !== "about:blank")
		return "a bare problem";
	const further = Object.keys(problem).filter((member) => !PROBLEM_MEMBERS.includes(member));
	if (further.length > 0) return `the members ${further.join(", ")}`;
	return Array.isArray(errors) && errors.every(isFieldError) ? null : "errors of another form";
}

function isFieldError(error: unknown): boolean {
	return typeof error === "object" && error !== null && Object.keys(error).sort().join() === "message,path";
}

/** A path or a method that no route has. */
function undescribedElsewhere({ method, status, text }: Seen): string | null {
	if (method === "OPTIONS" && status === 204) return null;
	if (method === "HEAD") return status < 500 ? null : `status ${status}`;
	return undescribedProblem(text, status, [
		"not_found",
		"unauthorized",
		"forbidden",
		"not_configured",
		"method_not_allowed",
		"source_not_found",
		"source_not_posted",
	]);
}

/** Throws when a response is not as it is described. */
export function assertDescribed(seen: Seen): void {
	const found = undescribed(seen);
	if (found === null) return;
	throw new Error(
		`${seen.method} ${seen.path} → ${seen.status} is not described with ${found}\n${seen.text.slice(0, 2_000)}`,
	);
}
