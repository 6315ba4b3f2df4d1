/**
 * Verification by the symmetric scheme of Standard Webhooks 1.0: `v1`, HMAC-SHA256 over `id.timestamp.body`. The
 * `svix-` names of the same headers are understood too.
 */
import { createHmac } from "node:crypto";
import { isSameDigest } from "./compare.ts";

/** How far the sender's clock may be off, and how long a request may be replayed. */
const TOLERANCE_SECONDS = 300;

/** `secret` is `whsec_` and the key in base64, or the base64 alone; `now` in ms since the epoch. */
export function verifyStandardWebhook(
	headers: Headers,
	body: Uint8Array,
	secret: string,
	now: number,
): boolean {
	const family = headers.has("webhook-id") ? "webhook" : "svix";
	const id = headers.get(`${family}-id`);
	const timestamp = headers.get(`${family}-timestamp`);
	const signatures = headers.get(`${family}-signature`);
	if (id === null || timestamp === null || signatures === null) return false;
	// A dot in the id could move the border between id, timestamp and body under the same signature.
	if (id === "" || id.includes(".") || !isFresh(timestamp, now)) return false;

	const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
	// An empty key would make everybody's signature valid.
	if (key.byteLength === 0) return false;
	const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest();
	return signatures.split(" ").some((entry) => {
		const [version, signature = ""] = entry.split(",");
		return version === "v1" && isSameDigest(Buffer.from(signature, "base64"), expected);
	});
}

function isFresh(timestamp: string, now: number): boolean {
	if (!/^\d{1,12}$/.test(timestamp)) return false;
	return Math.abs(Math.floor(now / 1000) - Number(timestamp)) <= TOLERANCE_SECONDS;
}
