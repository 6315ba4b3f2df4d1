/** Request bodies: parsed and checked against a schema before a route uses them. */
import type * as z from "zod";
import { isJson, isUtf8, parseMediaType } from "../../events/cloudevents/media-type.ts";
import { readJson as parseJsonBytes } from "../../events/payload.ts";
import { toProblem } from "../../http/refusal.ts";
import { readBody } from "../../http/read-body.ts";
import { type FieldError, Problem } from "../../http/problem.ts";
import { toFieldErrors, wording } from "./refusals.ts";

const FORM = "application/x-www-form-urlencoded";
const CURL_HINT = "curl -d sends a form unless you set the header: -H 'content-type: application/json'.";

/**
 * Throws 413, 415, 400 `invalid_json` or 422 `invalid_request`. A body without a content type is
 * read as JSON.
 */
export async function readJson<S extends z.ZodType>(request: Request, schema: S): Promise<z.output<S>> {
	return checkFields(decodeJson(request, await readBytes(request)).value, schema);
}

/** As `readJson`, for actions that need no body: an empty body counts as `{}`. */
export async function readOptionalJson<S extends z.ZodType>(
	request: Request,
	schema: S,
): Promise<z.output<S>> {
	const body = await readBytes(request);
	return checkFields(body.length === 0 ? {} : decodeJson(request, body).value, schema);
}

/** The body as it was sent. Throws 413, 415 `unsupported_content_encoding` or 400 `body_incomplete`. */
export async function readBytes(request: Request): Promise<Uint8Array> {
	const read = await readBody(request);
	if (!read.ok) throw toProblem(read);
	return read.body;
}

/** Throws 422 `invalid_request` with one entry for each invalid field. */
export function checkFields<S extends z.ZodType>(value: unknown, schema: S): z.output<S> {
	const parsed = schema.safeParse(value, { error: wording });
	if (parsed.success) return parsed.data;
	throw invalidRequest(toFieldErrors(parsed.error));
}

/** The 422 for checks that a schema alone cannot make. */
export function invalidRequest(errors: readonly FieldError[]): Problem {
	const fields = errors.map(({ path }) => (path === "" ? "the body" : path));
	return new Problem(422, "invalid_request", `Not valid: ${fields.join(", ")}.`, { errors });
}

/**
 * The value, and the text it was parsed from. Throws 415 or 400 `invalid_json`, which gives the
 * place of the error.
 */
export function decodeJson(request: Request, body: Uint8Array): { value: unknown; text: string } {
	const contentType = request.headers.get("content-type");
	const mediaType = parseMediaType(contentType);
	if (contentType !== null && !(isJson(mediaType) && isUtf8(mediaType, body))) {
		const hint = mediaType.essence === FORM ? ` ${CURL_HINT}` : "";
		const detail = `Send application/json in UTF-8 instead of ${contentType.slice(0, 100)}.${hint}`;
		throw new Problem(415, "unsupported_media_type", detail);
	}
	const json = parseJsonBytes(body);
	if (!json.ok) throw toProblem(json);
	return json;
}
