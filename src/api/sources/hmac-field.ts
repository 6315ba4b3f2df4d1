/**
 * Auth `hmac` on the wire. A template that would leave the body or the time unsigned is refused.
 */
import * as z from "zod";
import { TOLERANCE_SECONDS } from "../../crypto/freshness.ts";
import { hasPlace, headersOf, parseSignedContent } from "../../crypto/signed-content.ts";
import { keyOf } from "../../sources/proof/signed-bytes.ts";
import {
	HMAC_ALGORITHMS,
	type HmacAuth,
	SECRET_ENCODINGS,
	SIGNATURE_ENCODINGS,
	type SourceAuth,
} from "../../store/resources/source-auth.ts";
import { headerName } from "../fields/fields.ts";

const MAX_TOLERANCE_SECONDS = 86_400;
/** Shorter than the key of any provider. */
const MIN_KEY_BYTES = 8;

export const hmacField = z
	.strictObject({
		type: z.literal("hmac"),
		header: headerName,
		algorithm: z.enum(HMAC_ALGORITHMS).default("sha256"),
		encoding: z.enum(SIGNATURE_ENCODINGS).default("hex"),
		prefix: z.string().max(64).default(""),
		secret_encoding: z.enum(SECRET_ENCODINGS).default("utf8"),
		signed_content: z.string().default("{body}"),
		timestamp_header: headerName.nullable().default(null),
		tolerance_seconds: z.number().int().min(1).max(MAX_TOLERANCE_SECONDS).default(TOLERANCE_SECONDS),
		verification_token: z.boolean().default(false),
	})
	.superRefine((auth, context) => {
		const refusal = refuseScheme(auth);
		if (refusal !== null)
			context.addIssue({ code: "custom", path: [refusal.path], message: refusal.message });
	});

interface Scheme {
	header: string;
	signed_content: string;
	timestamp_header: string | null;
}

/**
 * Why these fields do not describe a signature that authenticates a request, or
 * null.
 */
export function refuseScheme({
	header,
	signed_content: template,
	timestamp_header: timestampHeader,
}: Scheme): { path: keyof Scheme; message: string } | null {
	const parsed = parseSignedContent(template);
	if (!parsed.ok) return badContent(parsed.message);
	const { parts } = parsed;
	const covering = parts.filter(
		(part) => "place" in part && (part.place === "body" || part.place === "form"),
	);
	if (covering.length === 0)
		return badContent("must contain {body} or {form}: otherwise the body is not signed");
	if (covering.length > 1) return badContent("can contain {body} or {form} only once");
	if (headersOf(parts).includes(header.toLowerCase())) {
		return badContent(`cannot contain the header ${header}, which carries the signature`);
	}
	const isTimed = hasPlace(parts, "timestamp");
	if (isTimed && timestampHeader === null) {
		return { path: "timestamp_header", message: "is required: signed_content has a {timestamp}" };
	}
	if (!isTimed && timestampHeader !== null) {
		return badContent("must contain {timestamp}, because an unsigned time can be changed");
	}
	if (timestampHeader?.toLowerCase() === header.toLowerCase()) {
		return { path: "timestamp_header", message: "cannot be the header that carries the signature" };
	}
	return null;
}

function badContent(message: string): { path: "signed_content"; message: string } {
	return { path: "signed_content", message };
}

/** Why `secret` is not a valid key for this auth, or null. */
export function refuseKey(auth: SourceAuth, secret: string): string | null {
	if (auth.type !== "hmac") return null;
	const encoding: NonNullable<HmacAuth["secret_encoding"]> = auth.secret_encoding ?? "utf8";
	if (encoding === "utf8") return null;
	const key = keyOf(secret, encoding);
	if (key === null)
		return `must be ${encoding === "hex" ? "an even number of hex digits" : "base64"}, as secret_encoding says`;
	return key.length < MIN_KEY_BYTES ? `must have at least ${MIN_KEY_BYTES} bytes` : null;
}
