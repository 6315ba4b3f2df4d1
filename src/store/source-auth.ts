/** How a source's requests prove where they come from, as it is stored. The secret itself is in `Source.secrets`. */
import * as z from "zod";
import { parseSignedContent } from "../crypto/signed-content.ts";

/** Providers whose signatures are rows of a table (sources/proof/signature-schemes.ts). */
export const SIGNING_PROVIDERS = ["github", "shopify", "slack", "stripe"] as const;
export const HMAC_ALGORITHMS = ["sha1", "sha256", "sha384", "sha512"] as const;
export const SIGNATURE_ENCODINGS = ["hex", "base64"] as const;
/** How the text of a secret becomes the bytes of a key. */
export const SECRET_ENCODINGS = ["utf8", "base64", "hex"] as const;

/** Members that this release does not know are ignored: a newer one may have stored them. */
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
		// What follows is missing where an earlier release stored it.
		/** By default `utf8`. */
		secret_encoding: z.enum(SECRET_ENCODINGS).optional(),
		/** A template (crypto/signed-content.ts), by default `{body}`. */
		signed_content: z
			.string()
			.refine((template) => parseSignedContent(template).ok)
			.optional(),
		/** Has the `{timestamp}` of the template. */
		timestamp_header: z.string().nullable().optional(),
		/** How far that time may be off, either way; by default 300. */
		tolerance_seconds: z.number().optional(),
		/** Whether a first, unsigned request brings the secret (ingest/verification-token.ts). */
		verification_token: z.boolean().optional(),
	}),
	z.object({ type: z.literal("standard_webhooks") }),
	z.object({ type: z.enum(SIGNING_PROVIDERS) }),
	/** By certificate: the topics that may send are in `settings` (sources/proof/sns/). */
	z.object({ type: z.literal("sns") }),
	/** No proof of the publisher: the router fetches the events with an AWS access key (ingest/queues/). */
	z.object({ type: z.literal("aws_keys") }),
	z.object({ type: z.literal("url_token") }),
	/** A token of Google for the service account `email`; `audience` null: the URL as requested. */
	z.object({ type: z.literal("google_oidc"), audience: z.string().nullable(), email: z.string() }),
	z.object({ type: z.literal("none") }),
]);

export type SourceAuth = z.output<typeof sourceAuthSchema>;
export type SourceAuthType = SourceAuth["type"];
export type HmacAuth = Extract<SourceAuth, { type: "hmac" }>;

/** Whether a secret of the source proves its requests. Some are proved by keys of the provider, some not at all. */
export function hasSecret(type: SourceAuthType): boolean {
	return type !== "none" && type !== "sns" && type !== "google_oidc";
}
