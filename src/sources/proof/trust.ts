/**
 * Whose public keys prove a request where only its sender can sign: for requests from outside those of Amazon SNS, of
 * Google, and the key that a source was given. A sample of ours brings a key of its own in their place (stand-in.ts).
 */
import type { Refusal } from "../../http/refusal.ts";
import { type GoogleKeys, loadGoogleKeys } from "./google/keys.ts";
import { type Certificate, loadCertificate } from "./sns/certificate.ts";

export interface Trust {
	/** By the URL that a message names; null when there is none. Refuses with 503 `certificate_unavailable`. */
	snsCertificate(url: string): Promise<{ ok: true; certificate: Certificate | null } | Refusal>;
	/** Those among which `keyId` should be. `now` in ms. Refuses with 503 `keys_unavailable`. */
	googleKeys(keyId: string, now: number): Promise<{ ok: true; keys: GoogleKeys } | Refusal>;
	/** What to verify with where the source was given `secret`: itself. */
	secret(secret: string): string;
	/** Whether the router itself signed the request, so that its proof says nothing of the publisher. */
	isSample?: true;
}

export const PROVIDERS: Trust = {
	snsCertificate: loadCertificate,
	googleKeys: loadGoogleKeys,
	secret: (secret) => secret,
};

/** For a sample that is signed with the source's own secret. */
export const OUR_SAMPLE: Trust = { ...PROVIDERS, isSample: true };
