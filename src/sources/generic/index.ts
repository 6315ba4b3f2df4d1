/**
 * Any webhook: the body is the data, and the source's settings define type, subject and duplicate detection. If an
 * expression fails, the event is kept without that attribute.
 */
import * as z from "zod";
import type { Attributes, EventData } from "../../events/event.ts";
import { evaluateOwned, type OwnedExpression } from "../../events/expressions/quarantine.ts";
import { REPLACEMENT } from "../../events/cloudevents/header-value.ts";
import { parseWithExactNumbers } from "../../events/json/parse.ts";
import { traceOfHeaders } from "../../events/cloudevents/trace-context.ts";
import { hasPlace } from "../../crypto/signed-content.ts";
import type { KnownSource, Source, SourceAuth } from "../../store/records.ts";
import { schemeOf } from "../proof/signature-schemes.ts";
import { curlSetup } from "../setup/curl.ts";
import { usableText } from "../reading/attribute-values.ts";
import { type Sample, defineKind } from "../kind.ts";
import { readRequest } from "./request-body.ts";
import { idFrom, idFromHeader, readIdempotencyKey } from "../reading/publisher-id.ts";

const genericSettings = z.strictObject({
	/** How an HTML form becomes data: by default its text unchanged, or a JSON object of its fields. */
	form: z.enum(["text", "json"]).optional(),
});

export const generic = defineKind({
	settings: genericSettings,
	defaultAuth: { type: "bearer" },
	namesEvents: true,

	async parse({ source, settings, headers, body, now, freshId }) {
		const payload = readRequest(headers, body, settings.form ?? "text");
		if (!payload.ok) return payload;
		const { contentType } = payload;

		const { type, subject, id, unresolved } = await readSettings(source, headers, payload.data, freshId);
		const named = id === undefined ? idFromHeaders(source, headers) : ({ ok: true, id } as const);
		if (!named.ok) return named;
		const attributes: Attributes = {
			id: named.id ?? freshId,
			source: `/sources/${source.name}`,
			type: type ?? source.name,
			time: new Date(now).toISOString(),
			...(subject !== undefined && { subject }),
			...(contentType !== null && { datacontenttype: contentType }),
			...traceOfHeaders(headers),
		};
		return { ok: true, events: [{ attributes, data: payload.data }], batch: false, unresolved };
	},

	setup({ source, url, secret }) {
		const { headers, body } = sampleFor(source.auth);
		return curlSetup(source.auth, url, secret, body, headers["content-type"]);
	},

	sample: (_now, _settings, source) => sampleFor(source.auth),
});

/** Returns the form, if the signature covers one. */
function sampleFor(auth: SourceAuth): Sample {
	return auth.type === "hmac" && hasPlace(schemeOf(auth).content, "form")
		? { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "hello=world" }
		: { headers: { "content-type": "application/json" }, body: '{"hello": "world"}' };
}

interface Settings {
	type: string | undefined;
	subject: string | undefined;
	id: string | undefined;
	unresolved: string[];
}

/** Literals unchanged; expressions evaluated over `{headers, body}`, which is built only when one needs it. */
async function readSettings(
	source: Source,
	headers: Headers,
	data: EventData | null,
	freshId: string,
): Promise<Settings> {
	const { eventType, subject, dedupeKey } = source;
	const unresolved: string[] = [];
	let made: { headers: Record<string, string>; body: unknown } | undefined;
	const input = (): unknown =>
		(made ??= { headers: headersForExpressions(headers, freshId), body: bodyForExpressions(data) });
	const evaluate = async (
		field: string,
		expression: string,
		stored: string,
		take = usableText,
	): Promise<string | undefined> => {
		const text = take(await evaluateText({ owner: source, field, source: expression, stored }, input));
		if (text === undefined) unresolved.push(field);
		return text;
	};
	const read = async (field: string, value: string | null): Promise<string | undefined> =>
		value?.startsWith("=") === true ? evaluate(field, value.slice(1), value) : (value ?? undefined);
	return {
		type: await read("event_type", eventType),
		subject: await read("subject", subject),
		id: dedupeKey === null ? undefined : await evaluate("dedupe_key", dedupeKey, dedupeKey, idFrom),
		unresolved,
	};
}

/** Replaces bytes that are not UTF-8 with a unique value, so that two events never become one. */
function headersForExpressions(headers: Headers, freshId: string): Record<string, string> {
	const lost = new RegExp(`${REPLACEMENT}+`, "g");
	return Object.fromEntries([...headers].map(([name, value]) => [name, value.replace(lost, freshId)]));
}

function bodyForExpressions(data: EventData | null): unknown {
	if (data === null || data.kind === "binary") return null;
	return data.kind === "json" ? parseWithExactNumbers(data.text) : data.text;
}

/** undefined if the expression fails or is set aside, or if its value is neither a string nor a number. */
async function evaluateText(expression: OwnedExpression, input: () => unknown): Promise<string | undefined> {
	const evaluation = await evaluateOwned(expression, input);
	const value = evaluation.ok ? evaluation.value : undefined;
	const isScalar = typeof value === "string" || typeof value === "number" || typeof value === "boolean";
	return isScalar ? String(value) : undefined;
}

/** Returns what the publisher's own retries have in common, if its headers contain it. */
function idFromHeaders({ auth }: KnownSource, headers: Headers): ReturnType<typeof readIdempotencyKey> {
	const isSigned = auth.type === "standard_webhooks";
	const id = isSigned ? (idFromHeader(headers, "webhook-id") ?? idFromHeader(headers, "svix-id")) : undefined;
	return id === undefined ? readIdempotencyKey(headers) : { ok: true, id };
}
