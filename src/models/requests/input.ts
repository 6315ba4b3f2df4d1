/**
 * The input of a model whose protocol has its own form: the transform's output, or the event's
 * payload. Never the event around it.
 */
import type { EventData } from "../../events/event.ts";
import { exactValueOf } from "../../events/cloudevents/document.ts";
import type { Misfit, ModelInput } from "../protocol.ts";

/** null: the event has no payload. */
export function payloadOf({ event, transformed }: ModelInput): EventData | null {
	return transformed === null ? event.data : { kind: "json", text: transformed };
}

/**
 * The input as a value in which numbers keep their digits: JSON, a text, or the base64 of bytes.
 * Also null if there is no payload.
 */
export function valueOf(input: ModelInput): unknown {
	const payload = payloadOf(input);
	return payload === null ? null : exactValueOf(payload);
}

/** For protocols that cannot send an event without data. */
export const NO_DATA: Misfit = { misfit: "there is no data to send" };

/** For protocols that send text: a model would take the base64 for a text. */
export const NO_BYTES: Misfit = {
	misfit: "bytes do not fit; use a transform to make the input, for example from data_base64",
};

export const JSON_HEADERS = { "content-type": "application/json" };
