/**
 * An Amazon SQS queue that the router polls. A message with an S3 notification or a CloudEvent becomes that event, also
 * if wrapped by an SNS topic; any other body becomes the data of an event.
 */
import { decodeCloudEvents, STRUCTURED_TYPE } from "../../events/cloudevents/cloudevents.ts";
import type { CloudEvent, EventData } from "../../events/event.ts";
import { parseJson } from "../../events/json/parse.ts";
import { refuse } from "../../http/refusal.ts";
import { readSnsNotification } from "../proof/sns/message.ts";
import { queueArn } from "./queue.ts";
import { type SqsSettings, sqsSettings, storedSqsSettings } from "./settings.ts";
import { timeFrom } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, readJsonObject, valueAt } from "../reading/json-body.ts";
import { type Sample, defineKind } from "../kind.ts";
import { idFrom } from "../reading/publisher-id.ts";
import { readS3Notification, s3RecordSample } from "../reading/s3-records.ts";
import { eventsOfNotification } from "../s3-sns/index.ts";
import { setupSqs } from "./setup.ts";

export const sqs = defineKind({
	defaultAuth: { type: "aws_keys" },
	auths: ["aws_keys"],
	transport: "pull",
	settings: sqsSettings,
	stored: storedSqsSettings,

	/** `body` is one message in the form of `ReceiveMessage`. */
	async parse({ settings, body }) {
		const read = readJsonObject(body);
		if (!read.ok) return read;
		const text = valueAt(read.json, "Body");
		if (typeof text !== "string") return refuse(400, "invalid_sqs_message", "The message has no Body.");
		const events = unwrap(text) ?? [plainEvent(read.json, text, settings)];
		return { ok: true, events, batch: events.length > 1 };
	},

	setup: setupSqs,
	sample,
});

/** Returns null if the body has no known format. The queue's policy decides who may send to it. */
function unwrap(text: string): CloudEvent[] | null {
	const records = readS3Notification(text);
	if (records !== null) return records;
	const sns = readSnsNotification(Buffer.from(text));
	if (sns === null) return readCloudEvents(text);
	return readCloudEvents(sns.message.Message) ?? eventsOfNotification(sns.message, sns.text);
}

function readCloudEvents(text: string): CloudEvent[] | null {
	const decoded = decodeCloudEvents(new Headers({ "content-type": STRUCTURED_TYPE }), Buffer.from(text));
	return decoded.ok ? decoded.events : null;
}

function plainEvent(message: JsonObject, text: string, settings: SqsSettings): CloudEvent {
	const sentAt = Number(valueAt(message, "Attributes", "SentTimestamp"));
	const time = timeFrom(sentAt / 1000);
	const data: EventData = { kind: parseJson(text).ok ? "json" : "text", text };
	return {
		attributes: {
			id: idFrom(valueAt(message, "MessageId")) ?? contentHash(text),
			source: queueArn(settings.queue_url, settings.region) ?? "/sqs",
			type: "com.amazonaws.sqs.message",
			...(time !== undefined && { time }),
			datacontenttype: data.kind === "json" ? "application/json" : "text/plain",
		},
		data,
	};
}

/** A notification that S3 has sent to the queue. */
function sample(now: number): Sample {
	const message = {
		MessageId: crypto.randomUUID(),
		ReceiptHandle: "sample",
		Body: JSON.stringify({ Records: [s3RecordSample(now)] }),
		Attributes: { SentTimestamp: String(now) },
	};
	return { headers: {}, body: JSON.stringify(message) };
}
