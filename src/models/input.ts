/**
 * What a model gets when its protocol has a form of its own: the transform's value, or the event's payload. Never the
 * event around it.
 */
import type { EventData } from "../events/event.ts";
import { exactValueOf } from "../events/cloudevents/document.ts";
import type { Misfit, ModelInput } from "./protocol.ts";

/** null: the event has no payload. */
export function payloadOf({ event, transformed }: ModelInput): EventData | null {
	return transformed === null ? event.data : { kind: "json", text: transformed };
}

/** null, too, when there is none: as a value in which numbers keep their digits: JSON, a text, or the base64 of bytes. */
export function valueOf(input: ModelInput): unknown {
	const payload = payloadOf(input);
	return payload === null ? null : exactValueOf(payload);
}

/** For protocols to which no data is no input. */
export const NO_DATA: Misfit = { misfit: "there is no data to send" };

export const JSON_HEADERS = { "content-type": "application/json" };
