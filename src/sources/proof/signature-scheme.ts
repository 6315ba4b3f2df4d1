/** One way to sign requests with an HMAC, as data: what is signed, and where the signature and its time stand. */
import type { ContentPart } from "../../crypto/signed-content.ts";
import type { HMAC_ALGORITHMS, SECRET_ENCODINGS, SIGNATURE_ENCODINGS } from "../../store/source-auth.ts";

export interface SignatureScheme {
	/**
	 * Carries the signature, or several with commas or spaces between them, bare or in a list of `key=value` entries
	 * with commas between them.
	 */
	header: string;
	algorithm: (typeof HMAC_ALGORITHMS)[number];
	encoding: (typeof SIGNATURE_ENCODINGS)[number];
	/** What a signature begins with, such as `sha256=`. */
	prefix: string;
	/** Where the time of signing stands: another header, or an entry of the list. null: it is not signed. */
	timestamp: { header: string } | { listKey: string } | null;
	/** The entries of the list that are signatures; while the provider rotates there are several. */
	signatureKey?: string;
	/** How far that time may be off, either way. */
	toleranceSeconds: number;
	/** What is signed, the body being its bytes. */
	content: readonly ContentPart[];
	/** How the secret becomes a key. */
	secretEncoding: (typeof SECRET_ENCODINGS)[number];
}
