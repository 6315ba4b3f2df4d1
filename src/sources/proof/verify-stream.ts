/**
 * Verifies requests whose body is too large for memory: a header or URL token before the body is read, a signature
 * while the body arrives.
 */
import type { ReadableSource, SourceAuthType } from "../../store/records.ts";
import { streamedStandardWebhook } from "../../crypto/verify-standard-webhooks.ts";
import { PROVIDERS, type Trust } from "./trust.ts";
import { NOT_PROVEN, PROVEN, type Verified } from "./verified.ts";
import { type SignedRequest, spellings, verify } from "./verify.ts";

/** Auth types that do not depend on the body. */
const BODILESS: readonly SourceAuthType[] = ["none", "bearer", "basic", "header", "url_token"];

export interface StreamedVerification {
	update(chunk: Uint8Array): void;
	end(): Verified;
}

/** Returns null if verification needs the whole body at once, or a refusal if no body could be valid. */
export async function verifyStream(
	source: Pick<ReadableSource, "auth" | "secrets" | "settings">,
	request: Omit<SignedRequest, "body">,
	trust: Trust = PROVIDERS,
): Promise<({ ok: true } & StreamedVerification) | Extract<Verified, { ok: false }> | null> {
	const { headers, now, maxAgeSeconds } = request;
	if (BODILESS.includes(source.auth.type)) {
		const verified = await verify(source, { ...request, body: new Uint8Array() }, trust);
		return verified.ok ? { ok: true, update: () => undefined, end: () => PROVEN } : verified;
	}
	if (source.auth.type !== "standard_webhooks") return null;
	const proofs = source.secrets
		.filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
		.flatMap(({ value }) => spellings(value))
		.map((value) => streamedStandardWebhook(headers, trust.secret(value), now, maxAgeSeconds))
		.filter((proof) => proof !== null);
	if (proofs.length === 0) return null;
	return {
		ok: true,
		update(chunk) {
			for (const proof of proofs) proof.update(chunk);
		},
		end: () => (proofs.some((proof) => proof.isProven()) ? PROVEN : NOT_PROVEN),
	};
}
