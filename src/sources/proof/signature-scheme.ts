/** An HMAC signature scheme as data: what is signed, and where the signature and its timestamp are. */
import type { ContentPart } from "../../crypto/signed-content.ts";
import type {
	HMAC_ALGORITHMS,
	SECRET_ENCODINGS,
	SIGNATURE_ENCODINGS,
} from "../../store/resources/source-auth.ts";

export interface SignatureScheme {
	/**
	 * The header with the signatures, separated by commas or spaces, either bare or in a comma-separated list of
	 * `key=value` entries.
	 */
	header: string;
	algorithm: (typeof HMAC_ALGORITHMS)[number];
	encoding: (typeof SIGNATURE_ENCODINGS)[number];
	/** The prefix of a signature, such as `sha256=`. */
	prefix: string;
	/** Where the timestamp is: another header, or an entry of the list. null: no timestamp is signed. */
	timestamp: { header: string } | { listKey: string } | null;
	/** The key of signatures in the list. There are several during a rotation. */
	signatureKey?: string;
	/** How far the timestamp may be off in either direction. */
	toleranceSeconds: number;
	/** What is signed. The body is its raw bytes. */
	content: readonly ContentPart[];
	/** How the secret is decoded to a key. */
	secretEncoding: (typeof SECRET_ENCODINGS)[number];
}
