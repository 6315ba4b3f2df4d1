/**
 * The public keys that verify requests which only the sender can sign: those of Amazon SNS and Google, and the key set
 * in a source. The router's own samples use their own key instead (stand-in.ts).
 */
import type { Refusal } from "../../http/refusal.ts";
import { type GoogleKeys, loadGoogleKeys } from "./google/keys.ts";
import { type Certificate, loadCertificate } from "./sns/certificate.ts";

export interface Trust {
	/**
	 * Returns the certificate at a message's URL, or null if there is none. Refuses with 503 `certificate_unavailable`.
	 */
	snsCertificate(url: string): Promise<{ ok: true; certificate: Certificate | null } | Refusal>;
	/** Returns Google's keys, which should include `keyId`. `now` in ms. Refuses with 503 `keys_unavailable`. */
	googleKeys(keyId: string, now: number): Promise<{ ok: true; keys: GoogleKeys } | Refusal>;
	/** Returns the secret to verify with, normally the source's own `secret`. */
	secret(secret: string): string;
	/** Whether the router itself signed the request, so that it says nothing about the publisher. */
	isSample?: true;
}

export const PROVIDERS: Trust = {
	snsCertificate: loadCertificate,
	googleKeys: loadGoogleKeys,
	secret: (secret) => secret,
};

/** For a sample signed with the source's own secret. */
export const OUR_SAMPLE: Trust = { ...PROVIDERS, isSample: true };
