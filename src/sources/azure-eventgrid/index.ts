/**
 * Azure Event Grid, in its own schema and in the CloudEvents schema, with the handshake of each
 * (https://learn.microsoft.com/azure/event-grid/end-point-validation-event-grid-events-schema and
 * …/end-point-validation-cloud-events-schema). Event Grid does not sign; it sends a header or token that it was given.
 */
import { decodeCloudEvents } from "../../events/cloudevents/cloudevents.ts";
import type { CloudEvent } from "../../events/event.ts";
import { memberTexts } from "../../events/json/text.ts";
import { parseMediaType } from "../../events/cloudevents/media-type.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { isUsableUri, sourcePath, timeFrom, usableText } from "../reading/attribute-values.ts";
import { azureEventgridSetup } from "./setup.ts";
import { idAt, type JsonObject, refuseUnlessJson, textAt, valueAt } from "../reading/json-body.ts";
import { pathOf, readJsonRecords } from "../reading/json-records.ts";
import { type Parsed, type ParseInput, type Sample, defineKind, noSettings } from "../kind.ts";

const ORIGIN = "eventgrid.azure.net";
const VALIDATION_TYPE = "Microsoft.EventGrid.SubscriptionValidationEvent";

export const azureEventgrid = defineKind({
	settings: noSettings,
	defaultAuth: { type: "url_token" },
	parse: async (input) => parse(input),

	/** Section 4.2 of HTTP 1.1 Web Hooks for Event Delivery. Later requests must still authenticate. */
	handshake(request) {
		const origin = request.headers.get("webhook-request-origin");
		if (request.method !== "OPTIONS" || origin !== ORIGIN) return null;
		return new Response(null, {
			status: 200,
			headers: { allow: "POST, OPTIONS", "webhook-allowed-origin": ORIGIN, "webhook-allowed-rate": "*" },
		});
	},

	setup: azureEventgridSetup,
	sample,
});

function parse(input: ParseInput): Parsed {
	const { headers, body } = input;
	const read = refuseUnlessJson(input) ?? readJsonRecords(body);
	if (!read.ok) return read;
	const { essence } = parseMediaType(headers.get("content-type"));
	if (essence.startsWith("application/cloudevents")) return decodeCloudEvents(headers, body);

	const { records, isList } = read;
	const [first] = records;
	if (first !== undefined && valueAt(first, "eventType") === VALIDATION_TYPE) {
		return replyToValidation(first, pathOf(isList, 0, "data.validationCode"));
	}
	const events: CloudEvent[] = [];
	for (const [index, record] of records.entries()) {
		const event = readEvent(record, input, (field) => pathOf(isList, index, field));
		if (!event.ok) return event;
		events.push(event.event);
	}
	return { ok: true, events, batch: isList };
}

/** Event Grid expects its code in the response. It sends the code alone, before any event. */
function replyToValidation(event: JsonObject, path: string): Parsed {
	const code = valueAt(event, "data", "validationCode");
	if (typeof code !== "string") return refuse(400, "invalid_payload", `"${path}" must be a text.`, path);
	return { ok: true, events: [], batch: true, reply: { status: 200, body: { validationResponse: code } } };
}

/** https://learn.microsoft.com/azure/event-grid/event-schema */
function readEvent(
	record: JsonObject,
	{ source, now }: ParseInput,
	at: (field: string) => string,
): { ok: true; event: CloudEvent } | Refusal {
	const id = idAt(record, "id");
	const type = textAt(record, "eventType");
	if (id === undefined || type === undefined) {
		const path = at(id === undefined ? "id" : "eventType");
		return refuse(400, "invalid_payload", `"${path}" must be a text.`, path);
	}
	const topic = textAt(record, "topic");
	const subject = usableText(valueAt(record, "subject"));
	const attributes = {
		id,
		source: topic !== undefined && isUsableUri(topic) ? topic : sourcePath("sources", source.name),
		type,
		...(subject !== undefined && { subject }),
		time: timeFrom(valueAt(record, "eventTime")) ?? new Date(now).toISOString(),
		datacontenttype: "application/json",
	};
	const data = memberTexts(record.text).get("data");
	return { ok: true, event: { attributes, data: data === undefined ? null : { kind: "json", text: data } } };
}

/** A new blob, as Event Grid describes it in its own schema. */
function sample(now: number): Sample {
	const account =
		"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/app/providers/Microsoft.Storage/storageAccounts/scans";
	const event = {
		topic: account,
		subject: "/blobServices/default/containers/inbox/blobs/red-flower.jpg",
		eventType: "Microsoft.Storage.BlobCreated",
		id: crypto.randomUUID(),
		data: {
			api: "PutBlockList",
			clientRequestId: "6d79dbfb-0e37-4fc4-981f-442c9ca65760",
			requestId: "831e1650-001e-001b-66ab-eeb76e000000",
			eTag: "0x8D4BCC2E4835CD0",
			contentType: "image/jpeg",
			contentLength: 524_288,
			blobType: "BlockBlob",
			url: "https://scans.blob.core.windows.net/inbox/red-flower.jpg",
			sequencer: "00000000000004420000000000028963",
			storageDiagnostics: { batchId: "b68529f3-68cd-4744-baa4-3c0498ec19f0" },
		},
		dataVersion: "",
		metadataVersion: "1",
		eventTime: new Date(now).toISOString(),
	};
	return {
		headers: { "content-type": "application/json; charset=utf-8", "aeg-event-type": "Notification" },
		body: JSON.stringify([event]),
	};
}
