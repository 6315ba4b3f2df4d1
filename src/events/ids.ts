/**
 * Ids. Resources that people create get random ids. Event and delivery ids are hashes of their content, so that
 * repeating a step creates nothing new. An event's id ends with the key of its event log, and a delivery's id with the
 * key of its endpoint, so that the id alone identifies the Durable Object that holds it, without an index.
 */
import { hash as digest, randomBytes } from "node:crypto";

/** Crockford's base 32: no i, l, o, u, so an id can be read aloud and is safe in a URL. */
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const KEY_LENGTH = 10;
/** 110 bits: a collision becomes likely only after 2^55 events of one source. */
export const HASH_LENGTH = 22;

/** The form of a resource name. It needs no escaping in a URL. Ids have this form too. */
export const RESOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export type ResourcePrefix = "src" | "ep" | "sub" | "key" | "aud" | "bulk";

/** Returns a new random id such as `ep_3v8k2m9q1x` (50 bits; the table's primary key rejects a collision). */
export function newId(prefix: ResourcePrefix): string {
	return `${prefix}_${encode(randomBytes(KEY_LENGTH), KEY_LENGTH)}`;
}

/** Built-in sources have no row in the database; their ids are fixed. */
export const BUILTIN_SOURCES = {
	src_api: "api",
	src_results: "results",
	src_sluice: "sluice",
} as const;

export const RESULTS_SOURCE_ID = "src_results";
/** The source of operational events, which the router publishes about itself (operations/). */
export const SLUICE_SOURCE_ID = "src_sluice";
/**
 * The result logs. There are several because one log could not hold all model outputs. Event ids refer to them, so logs
 * may be added but not removed.
 */
const RESULT_LOG_IDS = Array.from("0123456789abcdef", (shard) => RESULTS_SOURCE_ID + shard);

/**
 * Returns the id of an event. In CloudEvents, `source` + `id` identify an event; the Sluice source scopes both,
 * so that two publishers with the same ids never collide.
 */
export function eventId(sourceId: string, attributes: { source: string; id: string }): string {
	return `evt_${hash([sourceId, attributes.source, attributes.id])}${keyOf(sourceId)}`;
}

/**
 * Returns the id of a delivery's result event. A hash of the endpoint in the id selects the result log that keeps the
 * event. Outputs of two endpoints are never the same event, even if the models give them equal ids.
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

/** Returns the id of a delivery, which is also its `webhook-id` on every attempt. */
export function deliveryId(parts: { eventId: string; subscriptionId: string; endpointId: string }): string {
	return `dlv_${hash([parts.eventId, parts.subscriptionId, parts.endpointId])}${keyOf(parts.endpointId)}`;
}

/** Returns the id of the event log that an event id refers to, or null if `id` is not an event id. */
export function logIdOf(id: string): string | null {
	const key = keyAfterHash(id, "evt_");
	return key === null ? null : `src_${key}`;
}

/**
 * Returns the id of the log that keeps an event. Release 0.1 kept all results in one log; its events are still there.
 */
export function logOf({ id, sourceId }: { id: string; sourceId: string }): string {
	return sourceId === RESULTS_SOURCE_ID ? (logIdOf(id) ?? sourceId) : sourceId;
}

/** Returns the logs that may hold events of a source. For results this includes the single log of release 0.1. */
export function logIdsOf(sourceId: string): string[] {
	return sourceId === RESULTS_SOURCE_ID ? [sourceId, ...RESULT_LOG_IDS] : [sourceId];
}

/** Returns the id of the source whose events a log keeps. */
export function sourceIdOfLog(logId: string): string {
	return RESULT_LOG_IDS.includes(logId) ? RESULTS_SOURCE_ID : logId;
}

/** Returns the id of a delivery's endpoint, or null if `id` is not a delivery id. */
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

/** The hash includes the length of each part, so that different lists of parts never produce the same text. */
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
