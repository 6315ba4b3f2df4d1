/**
 * Whether a request whose body is too large to be held comes from its publisher: what a header or the URL proves is
 * judged before the body is read, a signature while it comes in.
 */
import type { ReadableSource, SourceAuthType } from "../../store/records.ts";
import { streamedStandardWebhook } from "../../crypto/verify-standard-webhooks.ts";
import { PROVIDERS, type Trust } from "./trust.ts";
import { NOT_PROVEN, PROVEN, type Verified } from "./verified.ts";
import { type SignedRequest, spellings, verify } from "./verify.ts";

/** Auths that never look at the body. */
const BODILESS: readonly SourceAuthType[] = ["none", "bearer", "basic", "header", "url_token"];

export interface StreamedVerification {
	update(chunk: Uint8Array): void;
	end(): Verified;
}

/** null when the proof takes the whole body at once; a refusal when it is known to fail whatever the body is. */
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
