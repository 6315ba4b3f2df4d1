/**
 * Any webhook: the body is the data, and the source's settings say what the event is called and what makes it the
 * same as another. An expression that fails costs the event its name, never the event.
 */
import type { Attributes, EventData } from "../../events/event.ts";
import { compileExpression } from "../../events/expression.ts";
import { parseWithExactIntegers } from "../../events/json-parse.ts";
import { refuseStructure } from "../../events/json-structure.ts";
import { isJson, isMediaType, parseMediaType } from "../../events/media-type.ts";
import { guessContentType, readJson, readPayload } from "../../events/payload.ts";
import { traceOfHeaders } from "../../events/trace-context.ts";
import type { Source } from "../../store/records.ts";
import { curlSetup } from "../curl-setup.ts";
import { isUsableText } from "./attribute-values.ts";
import type { SourceKind } from "./kind.ts";

export const generic: SourceKind = {
	defaultAuth: { type: "bearer" },
	namesEvents: true,

	async parse({ source, headers, body, now, freshId }) {
		const contentType = contentTypeOf(headers, body);
		if (body.byteLength === 0 && isJson(parseMediaType(contentType))) {
			const empty = readJson(body);
			if (!empty.ok) return empty;
		}
		const payload = readPayload(body, contentType);
		if (!payload.ok) return payload;
		const wrong = payload.data?.kind === "json" ? refuseStructure(payload.data.text) : null;
		if (wrong !== null) return wrong;

		const { type, subject, id, unresolved } = await readSettings(source, headers, payload.data);
		const attributes: Attributes = {
			id: id ?? idFromHeaders(source, headers) ?? freshId,
			source: `/sources/${source.name}`,
			type: type ?? source.name,
			time: new Date(now).toISOString(),
			...(subject !== undefined && { subject }),
			...(contentType !== null && { datacontenttype: contentType }),
			...traceOfHeaders(headers),
		};
		return { ok: true, events: [{ attributes, data: payload.data }], batch: false, unresolved };
	},

	setup: ({ source, url, secret }) => curlSetup(source.auth, url, secret, '{"hello": "world"}'),

	sample: () => ({ headers: { "content-type": "application/json" }, body: '{"hello": "world"}' }),
};

/** null only for an empty body of which nothing is said. */
function contentTypeOf(headers: Headers, body: Uint8Array): string | null {
	const given = headers.get("content-type");
	if (given !== null && isMediaType(given)) return given;
	return body.byteLength === 0 ? null : guessContentType(body);
}

interface Settings {
	type: string | undefined;
	subject: string | undefined;
	id: string | undefined;
	unresolved: string[];
}

/** Literals as they are, expressions evaluated over `{headers, body}`, which is made only when one needs it. */
async function readSettings(
	{ eventType, subject, dedupeKey }: Source,
	headers: Headers,
	data: EventData | null,
): Promise<Settings> {
	const unresolved: string[] = [];
	let input: { headers: Record<string, string>; body: unknown } | undefined;
	const evaluate = async (setting: string, expression: string): Promise<string | undefined> => {
		input ??= { headers: Object.fromEntries(headers), body: bodyForExpressions(data) };
		const text = await evaluateText(expression, input);
		if (text === undefined) unresolved.push(setting);
		return text;
	};
	const read = async (setting: string, value: string | null): Promise<string | undefined> =>
		value?.startsWith("=") === true ? evaluate(setting, value.slice(1)) : (value ?? undefined);
	return {
		type: await read("event_type", eventType),
		subject: await read("subject", subject),
		id: dedupeKey === null ? undefined : await evaluate("dedupe_key", dedupeKey),
		unresolved,
	};
}

function bodyForExpressions(data: EventData | null): unknown {
	if (data === null || data.kind === "binary") return null;
	return data.kind === "json" ? parseWithExactIntegers(data.text) : data.text;
}

/** undefined when the expression fails, or its value cannot be an attribute. */
async function evaluateText(expression: string, input: unknown): Promise<string | undefined> {
	const compilation = compileExpression(expression);
	if (!compilation.ok) return undefined;
	const evaluation = await compilation.expression.evaluate(input);
	const value = evaluation.ok ? evaluation.value : undefined;
	const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
	return isScalar && isUsableText(String(value)) ? String(value) : undefined;
}

/** What the publisher's own retries have in common, where its headers tell. */
function idFromHeaders({ auth }: Source, headers: Headers): string | undefined {
	const isSigned = auth.type === "standard_webhooks";
	const signedId = isSigned ? (headers.get("webhook-id") ?? headers.get("svix-id")) : null;
	const id = signedId ?? headers.get("idempotency-key");
	return id !== null && isUsableText(id) ? id : undefined;
}
