/**
 * Protocol `cloudevents`: servers that accept CloudEvents in binary mode (Knative, KServe, the
 * CloudEvents SDKs). They get the attributes as headers and the payload unchanged, or the
 * transform's output instead. If the attributes are too large for headers, the event is sent in
 * structured mode, which these servers accept too.
 */
import { encodeBinary, encodeStructured, STRUCTURED_TYPE } from "../../events/cloudevents/cloudevents.ts";
import type { CloudEvent, SluiceEvent } from "../../events/event.ts";
import { readPlainly } from "./http.ts";
import type { Protocol } from "../protocol.ts";
import { requestReplyJobs } from "../jobs/request-reply.ts";

/**
 * Length of names and values; both are ASCII. nginx and Apache accept about 8 KB per header, Tomcat
 * 8 KB and Node 16 KB in total; larger headers are refused, by some servers without a response.
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

/**
 * The event with other data, and without the publisher's `dataschema`, which does
 * not describe it.
 */
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
