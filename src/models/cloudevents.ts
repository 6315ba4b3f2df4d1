/**
 * Protocol `cloudevents`: servers that take CloudEvents in binary mode (Knative, KServe, the CloudEvents SDKs). They
 * get the attributes as headers and the payload as it is, or the transform's value in its place. Attributes that are
 * too much for headers come in structured mode, which these servers understand too.
 */
import { encodeBinary, encodeStructured, STRUCTURED_TYPE } from "../events/cloudevents/cloudevents.ts";
import type { CloudEvent, SluiceEvent } from "../events/event.ts";
import { readPlainly } from "./http.ts";
import type { Protocol } from "./protocol.ts";
import { requestReplyJobs } from "./request-reply.ts";

/**
 * Names and values; both are ASCII. nginx and Apache take some 8 KB a header, Tomcat 8 KB and Node 16 KB in all; what is
 * above that is refused, by some without a response.
 */
const MAX_HEADER_LENGTH = 8_192;

export const cloudevents: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: () => false,
	request({ event, transformed }, { url }) {
		const sent = transformed === null ? event : withData(event, transformed);
		const binary = encodeBinary(sent);
		if (lengthOf(binary.headers) <= MAX_HEADER_LENGTH) return { method: "POST", url, ...binary };
		return {
			method: "POST",
			url,
			headers: { "content-type": STRUCTURED_TYPE },
			body: encodeStructured(sent),
		};
	},
	read: readPlainly,
	jobs: requestReplyJobs,
};

/** The event with other data; the publisher's schema says nothing about that. */
function withData({ attributes }: SluiceEvent, json: string): CloudEvent {
	const { dataschema: _, ...rest } = attributes;
	return {
		attributes: { ...rest, datacontenttype: "application/json" },
		data: { kind: "json", text: json },
	};
}

function lengthOf(headers: Record<string, string>): number {
	return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
}
