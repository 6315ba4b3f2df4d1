/**
 * Protocol `cloudevents`: servers that take CloudEvents in binary mode (Knative, KServe, the CloudEvents SDKs). They
 * get the attributes as headers and the payload as it is, or the transform's value in its place.
 */
import { encodeBinary } from "../events/cloudevents.ts";
import type { CloudEvent, SluiceEvent } from "../events/event.ts";
import { readAnswer } from "./answer.ts";
import type { Protocol } from "./protocol.ts";

export const cloudevents: Protocol = {
	buildRequest({ event, transformed }) {
		return encodeBinary(transformed === null ? event : withData(event, transformed));
	},
	readAnswer,
};

/** The event with other data; the publisher's schema says nothing about that. */
function withData({ attributes }: SluiceEvent, json: string): CloudEvent {
	const { dataschema: _, ...rest } = attributes;
	return {
		attributes: { ...rest, datacontenttype: "application/json" },
		data: { kind: "json", text: json },
	};
}
