/** The protocols an endpoint may speak. A new one is a file beside this one and a line here. */
import { cloudevents } from "./cloudevents.ts";
import { http } from "./http.ts";
import type { Protocol } from "./protocol.ts";

export const protocols = { http, cloudevents } as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof protocols;

export function isProtocolName(name: string): name is ProtocolName {
	return Object.hasOwn(protocols, name);
}

export const PROTOCOL_NAMES = Object.keys(protocols).filter(isProtocolName);

/** null for a protocol that this release does not know: a newer one has stored the endpoint. */
export function protocolOf(name: string): Protocol | null {
	return isProtocolName(name) ? protocols[name] : null;
}
