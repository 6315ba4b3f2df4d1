/**
 * The token in a callback URL. It permits reporting the outcome of one delivery's job and nothing else. It is derived
 * from the delivery's id, so nothing is stored and the URL is the same on every attempt: a server that maps a repeated
 * request to its running job may keep the first URL.
 */
import { isOwnSignature, signOwn } from "./own-signature.ts";
import type { KeyEnv } from "./key-materials.ts";

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Returns the token, or null if no key is set. */
export function callbackToken(env: KeyEnv, deliveryId: string): string | null {
	return signOwn(env, "callback", deliveryId);
}

/** Checks a token in constant time against every configured key. */
export function isCallbackToken(env: KeyEnv, deliveryId: string, token: string): boolean {
	return TOKEN.test(token) && isOwnSignature(env, "callback", deliveryId, token);
}
