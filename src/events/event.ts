/**
 * The event types that every room shares. No codec and no I/O here.
 */
import { MAX_BODY_BYTES } from "../http/read-body.ts";

/**
 * A CloudEvents 1.0 attribute value: an integer, a boolean or a string. The other CloudEvents types are kept as
 * strings.
 */
export type AttributeValue = string | number | boolean;

/**
 * CloudEvents context attributes by their spec names. `specversion` is always "1.0" and is written only when
 * an event leaves the router. All other keys are extensions.
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
 * The payload as received. `json` holds the publisher's exact JSON text, never a re-serialisation, so that
 * 64-bit integers, key order and number spelling survive.
 */
export type EventData =
	| { kind: "json"; text: string }
	| { kind: "text"; text: string }
	| { kind: "binary"; base64: string };

/** An event as the publisher sent it: the output of the codecs and source kinds. */
export interface CloudEvent {
	attributes: Attributes;
	data: EventData | null;
}

/** A CloudEvent that the router has accepted. */
export interface SluiceEvent extends CloudEvent {
	/** The router's own id, `evt_…`; the publisher's id is `attributes.id`. */
	id: string;
	/** `src_…` of the source that received it. */
	sourceId: string;
	/** When ingest accepted it, ms since the epoch. */
	receivedAt: number;
}

/** A subscription that an event matched, and the resulting delivery. Stored with the event. */
export interface Decision {
	deliveryId: string;
	subscriptionId: string;
	subscriptionName: string;
	endpointId: string;
	/** `name@version` at the time of the decision. */
	endpointRef: string;
	/**
	 * Set when the delivery must not be made: the event forms a cycle, is too many hops deep, or has used up its
	 * budget. Release 0.1 knows only this value; `refusedBy` (decision.ts) distinguishes the cases.
	 */
	dead?: "loop";
	isOverBudget?: true;
	/** How many requests the delivery may cause. Absent: the whole budget. */
	budget?: number;
	/** Set when the dispatcher had no room for the delivery. It is not offered again until someone requests it. */
	refused?: "backlog_full";
	/** Set when the event requests decisions only (test-mark.ts): the delivery is never made. */
	withheld?: true;
}

/** An upper bound for a stored decision: four ids, two names of 64 characters, and the JSON around them. */
export const DECISION_BYTES = 500;

/** Extension attributes that belong to the router. Publishers cannot set any attribute with this prefix. */
export const ROUTER_PREFIX = "sluice";

/** The largest event, and the largest ingest body: 1 MB (2^20 bytes). */
export const MAX_EVENT_BYTES = MAX_BODY_BYTES;
/** The maximum number of events in one ingest request. */
export const MAX_BATCH_EVENTS = 5_000;
