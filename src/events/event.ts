/**
 * What an event is inside the router: the types every room shares. No codec and no I/O here.
 */
import { MAX_BODY_BYTES } from "../http/read-body.ts";

/** A CloudEvents 1.0 attribute value; the type system's integers, booleans and strings (the rest travel as strings). */
export type AttributeValue = string | number | boolean;

/**
 * CloudEvents context attributes by their spec names. `specversion` is always "1.0" and is written only when
 * an event leaves the router. Every further key is an extension.
 */
export interface Attributes {
	id: string;
	source: string;
	type: string;
	subject?: string;
	/** RFC 3339. */
	time?: string;
	datacontenttype?: string;
	dataschema?: string;
	[extension: string]: AttributeValue | undefined;
}

/**
 * The payload as it came. `json` holds the exact JSON text of the publisher, never a re-serialisation, so that
 * 64-bit integers, key order and number spelling survive.
 */
export type EventData =
	| { kind: "json"; text: string }
	| { kind: "text"; text: string }
	| { kind: "binary"; base64: string };

/** An event as a publisher means it: what the codecs and source kinds produce. */
export interface CloudEvent {
	attributes: Attributes;
	data: EventData | null;
}

/** A CloudEvent that the router has accepted. */
export interface SluiceEvent extends CloudEvent {
	/** The router's own id, `evt_…`; the publisher's id is `attributes.id`. */
	id: string;
	/** `src_…` of the source it came in by. */
	sourceId: string;
	/** When ingest accepted it, ms since the epoch. */
	receivedAt: number;
}

/** One subscription that an event matched, and the delivery that follows from it. Stored with the event. */
export interface Decision {
	deliveryId: string;
	subscriptionId: string;
	subscriptionName: string;
	endpointId: string;
	/** `name@version` at the time of the decision. */
	endpointRef: string;
	/**
	 * Set when the delivery must not be made: the event is back where it has been, too many hops deep, or has used up its
	 * budget. The one word that release 0.1 knows; `refusedBy` (decision.ts) tells them apart.
	 */
	dead?: "loop";
	isOverBudget?: true;
	/** How many requests may come of the delivery; absent: the whole budget. */
	budget?: number;
	/** Set when its dispatcher had no room for the delivery: it is not offered again, until somebody asks for it. */
	refused?: "backlog_full";
	/** Set when the event asks for decisions only (test-mark.ts): the delivery is never made. */
	withheld?: true;
}

/** More than a stored decision takes: four ids and two names of 64 characters, and their JSON. */
export const DECISION_BYTES = 500;

/** Extension attributes that belong to the router. Publishers cannot set any attribute with this prefix. */
export const ROUTER_PREFIX = "sluice";

/** The largest event, and the largest ingest body: 1 MB (2^20 bytes). */
export const MAX_EVENT_BYTES = MAX_BODY_BYTES;
/** The most events one ingest request may hold. */
export const MAX_BATCH_EVENTS = 5_000;
