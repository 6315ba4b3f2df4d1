/** The stored form of a source's auth: how its requests are verified. The secret itself is in `Source.secrets`. */
import * as z from "zod";
import { parseSignedContent } from "../../crypto/signed-content.ts";

/** Providers whose signatures are rows of a table (sources/proof/signature-schemes.ts). */
export const SIGNING_PROVIDERS = ["github", "shopify", "slack", "stripe"] as const;
export const HMAC_ALGORITHMS = ["sha1", "sha256", "sha384", "sha512"] as const;
export const SIGNATURE_ENCODINGS = ["hex", "base64"] as const;
/** How the text of a secret is decoded to key bytes. */
export const SECRET_ENCODINGS = ["utf8", "base64", "hex"] as const;

/** Unknown members are ignored, because a newer release may have stored them. */
export const sourceAuthSchema = z.discriminatedUnion("type", [
	z.object({ type: z.literal("bearer") }),
	z.object({ type: z.literal("basic"), username: z.string() }),
	z.object({ type: z.literal("header"), name: z.string() }),
	z.object({
		type: z.literal("hmac"),
		header: z.string(),
		algorithm: z.enum(HMAC_ALGORITHMS),
		encoding: z.enum(SIGNATURE_ENCODINGS),
		/** Text before the signature in the header, such as `sha256=`. */
		prefix: z.string(),
		// The fields below are missing if an earlier release stored the auth.
		/** By default `utf8`. */
		secret_encoding: z.enum(SECRET_ENCODINGS).optional(),
		/** A template (crypto/signed-content.ts), by default `{body}`. */
		signed_content: z
			.string()
			.refine((template) => parseSignedContent(template).ok)
			.optional(),
		/** The header with the `{timestamp}` of the template. */
		timestamp_header: z.string().nullable().optional(),
		/** How far that time may be off in either direction; by default 300. */
		tolerance_seconds: z.number().optional(),
		/** Whether a first, unsigned request contains the secret (ingest/verification-token.ts). */
		verification_token: z.boolean().optional(),
	}),
	z.object({ type: z.literal("standard_webhooks") }),
	z.object({ type: z.enum(SIGNING_PROVIDERS) }),
	/** By certificate. The allowed topics are in `settings` (sources/proof/sns/). */
	z.object({ type: z.literal("sns") }),
	/** No verification: the router fetches the events with an AWS access key (ingest/queues/). */
	z.object({ type: z.literal("aws_keys") }),
	z.object({ type: z.literal("url_token") }),
	/** A Google OIDC token for the service account `email`. `audience` null: the requested URL. */
	z.object({ type: z.literal("google_oidc"), audience: z.string().nullable(), email: z.string() }),
	z.object({ type: z.literal("none") }),
]);

export type SourceAuth = z.output<typeof sourceAuthSchema>;
export type SourceAuthType = SourceAuth["type"];
export type HmacAuth = Extract<SourceAuth, { type: "hmac" }>;

/** Returns whether requests are verified with the source's own secret, not with the provider's keys or not at all. */
export function hasSecret(type: SourceAuthType): boolean {
	return type !== "none" && type !== "sns" && type !== "google_oidc";
}
