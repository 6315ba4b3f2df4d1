/**
 * The signing certificates of SNS, by the URL in a message. Senders can choose the URL, so only a plain path on an SNS
 * host is accepted: with a query, the sender could influence the response.
 */
import { type KeyObject, X509Certificate } from "node:crypto";
import { type Refusal, refuseForNow } from "../../../http/refusal.ts";
import { fetchFromSns, snsUrl } from "./fetch.ts";

export interface Certificate {
	key: KeyObject;
	/** ms since the epoch. */
	validFrom: number;
	validTo: number;
}

/** SNS uses one certificate per region at a time, and renews it about once a year. */
const MAX_REMEMBERED = 32;

/**
 * By URL; the oldest entry is evicted first. Only results are cached: a request in progress belongs to the request that
 * started it, and no other request may wait for it.
 */
const memory = new Map<string, Certificate>();

/**
 * Returns null if the URL has no certificate. Refuses with 503 `certificate_unavailable` if SNS is unavailable, so that
 * the message is sent again: SNS drops a message after a 4xx.
 */
export async function loadCertificate(
	text: string,
): Promise<{ ok: true; certificate: Certificate | null } | Refusal> {
	const known = memory.get(text);
	if (known !== undefined) return { ok: true, certificate: known };
	const url = snsUrl(text);
	if (url === null || url.search !== "" || !url.pathname.endsWith(".pem"))
		return { ok: true, certificate: null };
	const response = await fetchFromSns(url);
	if (response === null || response.status === 429 || response.status >= 500) {
		return refuseForNow(
			"certificate_unavailable",
			"The SNS signing certificate cannot be fetched. Send the request again.",
		);
	}
	const certificate = response.status === 200 ? parseCertificate(response.text) : null;
	if (certificate !== null) remember(text, certificate);
	return { ok: true, certificate };
}

export function isValidAt({ validFrom, validTo }: Certificate, now: number): boolean {
	return validFrom <= now && now <= validTo;
}

/** null unless it is an X.509 certificate of an RSA key in PEM. */
function parseCertificate(pem: string): Certificate | null {
	try {
		const { publicKey: key, validFrom, validTo } = new X509Certificate(pem);
		if (key.asymmetricKeyType !== "rsa") return null;
		return { key, validFrom: Date.parse(validFrom), validTo: Date.parse(validTo) };
	} catch {
		return null;
	}
}

function remember(url: string, certificate: Certificate): void {
	memory.set(url, certificate);
	for (const oldest of memory.keys()) {
		if (memory.size <= MAX_REMEMBERED) break;
		memory.delete(oldest);
	}
}
