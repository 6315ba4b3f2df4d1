/**
 * The token in a callback URL: whoever has it may tell how one delivery's job ended, and nothing else. It follows from
 * the delivery's id, so nothing is stored, and the URL is the same on every attempt: a server that joins a repeated
 * request with the job it already runs may keep the first URL.
 */
import { isOwnSignature, signOwn } from "./own-signature.ts";
import type { KeyEnv } from "./key-materials.ts";

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** null while no key is set. */
export function callbackToken(env: KeyEnv, deliveryId: string): string | null {
	return signOwn(env, "callback", deliveryId);
}

/** Compared in constant time, with every key that is set. */
export function isCallbackToken(env: KeyEnv, deliveryId: string, token: string): boolean {
	return TOKEN.test(token) && isOwnSignature(env, "callback", deliveryId, token);
}
