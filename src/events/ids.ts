/**
 * Ids. Things that people make get random ids; events and deliveries get ids computed from what they are, so
 * that doing a step twice creates nothing new. An event's id ends in the key of its event log and a delivery's id in
 * that of its endpoint, so that the Durable Object which holds it is known from the id alone, without an index.
 */
import { hash as digest, randomBytes } from "node:crypto";

/** Crockford's base 32: no i, l, o, u, so an id survives being read aloud and is safe in a URL. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const KEY_LENGTH = 10;
/** 110 bits: 2^55 events of one source before a collision is likely. */
export const HASH_LENGTH = 22;

/** What people may call a thing, so that it can stand in a URL as it is. An id is of this form too. */
export const RESOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export type ResourcePrefix = "src" | "ep" | "sub" | "key" | "aud";

/** A new random id such as `ep_3v8k2m9q1x` (50 bits; a clash is refused by the table's primary key). */
export function newId(prefix: ResourcePrefix): string {
	return `${prefix}_${encode(randomBytes(KEY_LENGTH), KEY_LENGTH)}`;
}

/** Builtin sources have no row in the database; their ids are fixed. */
export const BUILTIN_SOURCES = {
	src_api: "api",
	src_results: "results",
	src_sluice: "sluice",
} as const;

export const RESULTS_SOURCE_ID = "src_results";
/** Operational events: what the router says of itself (operations/). */
export const SLUICE_SOURCE_ID = "src_sluice";
/** By their last characters: models' outputs would be too much for one log. Ids name them, so there can only be more. */
const RESULT_LOG_IDS = Array.from("0123456789abcdef", (shard) => RESULTS_SOURCE_ID + shard);

/**
 * The id of an event. CloudEvents says that `source` + `id` identify an event; the Sluice source scopes both,
 * so that two publishers with the same ids never meet.
 */
export function eventId(sourceId: string, attributes: { source: string; id: string }): string {
	return `evt_${hash([sourceId, attributes.source, attributes.id])}${keyOf(sourceId)}`;
}

/**
 * The id of the event that a delivery's output becomes. It says by a hash of the endpoint which of the results' logs
 * keeps the event, and outputs of two endpoints are never the same event, whatever ids the models give them.
 */
export function resultEventId({
	endpointId,
	deliveryId,
}: {
	endpointId: string;
	deliveryId: string;
}): string {
	const shard = digest("sha256", endpointId, "hex").charAt(0);
	return `evt_${hash([RESULTS_SOURCE_ID, endpointId, deliveryId])}${keyOf(RESULTS_SOURCE_ID)}${shard}`;
}

/** The id of a delivery, which is also its `webhook-id` on every attempt. */
export function deliveryId(parts: { eventId: string; subscriptionId: string; endpointId: string }): string {
	return `dlv_${hash([parts.eventId, parts.subscriptionId, parts.endpointId])}${keyOf(parts.endpointId)}`;
}

/** The event log that an event id names, or null when this is no event id. */
export function logIdOf(id: string): string | null {
	const key = keyAfterHash(id, "evt_");
	return key === null ? null : `src_${key}`;
}

/** The event log that keeps an event. Results whose ids release 0.1 made are in the one log that it had for them. */
export function logOf({ id, sourceId }: { id: string; sourceId: string }): string {
	return sourceId === RESULTS_SOURCE_ID ? (logIdOf(id) ?? sourceId) : sourceId;
}

/** The logs that may have events of a source: its own, which has its id; of results also the one of release 0.1. */
export function logIdsOf(sourceId: string): string[] {
	return sourceId === RESULTS_SOURCE_ID ? [sourceId, ...RESULT_LOG_IDS] : [sourceId];
}

/** The source whose events a log keeps. */
export function sourceIdOfLog(logId: string): string {
	return RESULT_LOG_IDS.includes(logId) ? RESULTS_SOURCE_ID : logId;
}

/** The endpoint a delivery id belongs to, or null when this is no delivery id. */
export function endpointIdOf(id: string): string | null {
	const key = keyAfterHash(id, "dlv_");
	return key === null ? null : `ep_${key}`;
}

function keyAfterHash(id: string, prefix: "evt_" | "dlv_"): string | null {
	if (!id.startsWith(prefix)) return null;
	const rest = id.slice(prefix.length);
	return rest.length > HASH_LENGTH && /^[0-9a-z]+$/.test(rest) ? rest.slice(HASH_LENGTH) : null;
}

function keyOf(resourceId: string): string {
	return resourceId.slice(resourceId.indexOf("_") + 1);
}

/** Lengths are hashed along, so that no two lists of parts read the same. */
function hash(parts: readonly string[]): string {
	const text = parts.map((part) => `${part.length}:${part}\n`).join("");
	return encode(digest("sha256", text, "buffer"), HASH_LENGTH);
}

/** The first `length` * 5 bits of `bytes` as base-32 digits. */
function encode(bytes: Uint8Array, length: number): string {
	let text = "";
	let bits = 0;
	let buffer = 0;
	for (const byte of bytes) {
		buffer = (buffer << 8) | byte;
		bits += 8;
		while (bits >= 5 && text.length < length) {
			bits -= 5;
			text += ALPHABET.charAt((buffer >> bits) & 31);
		}
		buffer &= (1 << bits) - 1;
	}
	return text;
}
