/**
 * A queue of Amazon SQS, which the router asks for messages: nothing is posted. A notification of S3 or a CloudEvent
 * inside is the event, also where a topic of SNS has wrapped it; any other body is data.
 */
import { env } from "cloudflare:workers";
import * as z from "zod";
import { decodeCloudEvents, STRUCTURED_TYPE } from "../../events/cloudevents/cloudevents.ts";
import type { CloudEvent, EventData } from "../../events/event.ts";
import { parseJson } from "../../events/json/parse.ts";
import { refuse } from "../../http/refusal.ts";
import { readSnsNotification } from "../proof/sns/message.ts";
import { queueArn, refuseQueueUrl, regionOf } from "./queue.ts";
import { timeFrom } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type JsonObject, readJsonObject, valueAt } from "../reading/json-body.ts";
import type { Sample, SourceKind } from "../kind.ts";
import { idFrom } from "../reading/publisher-id.ts";
import { readS3Notification, s3RecordSample } from "../reading/s3-records.ts";
import { eventsOfNotification } from "../s3-sns/index.ts";
import { setupSqs } from "./setup.ts";

export const sqsSettings = z
	.strictObject({
		queue_url: z.string("is required: the URL of the queue").superRefine((url, context) => {
			const allowPrivate = env.ALLOW_PRIVATE_ENDPOINTS === "true";
			const message = refuseQueueUrl(url, { allowPrivate });
			if (message !== null) context.addIssue({ code: "custom", message });
		}),
		region: z
			.string()
			.regex(/^[a-z0-9-]{1,32}$/, "the code of a region, such as eu-central-1")
			.optional(),
		/** The secret that belongs to it is the source's. */
		access_key_id: z.string("is required").regex(/^\w{16,128}$/, "the id of an access key"),
	})
	.transform(({ region, ...settings }, context) => {
		const resolved = region ?? regionOf(settings.queue_url);
		if (resolved !== null) return { ...settings, region: resolved };
		context.addIssue({
			code: "custom",
			path: ["region"],
			message: "is required: the URL of the queue does not name it",
		});
		return z.NEVER;
	});

export const sqs: SourceKind = {
	defaultAuth: { type: "aws_keys" },
	auths: ["aws_keys"],
	transport: "pull",
	settings: sqsSettings,

	/** `body` is one message as `ReceiveMessage` describes it. */
	async parse({ source, body }) {
		const read = readJsonObject(body);
		if (!read.ok) return read;
		const text = valueAt(read.json, "Body");
		if (typeof text !== "string") return refuse(400, "invalid_sqs_message", "The message has no Body.");
		const events = unwrap(text) ?? [plainEvent(read.json, text, source.settings)];
		return { ok: true, events, batch: events.length > 1 };
	},

	setup: setupSqs,
	sample,
};

/** null when the body is none of what is known here. Who may send into the queue is the queue's policy. */
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

function plainEvent(message: JsonObject, text: string, settings: Record<string, unknown>): CloudEvent {
	const sentAt = Number(valueAt(message, "Attributes", "SentTimestamp"));
	const time = timeFrom(sentAt / 1000);
	const data: EventData = { kind: parseJson(text).ok ? "json" : "text", text };
	return {
		attributes: {
			id: idFrom(valueAt(message, "MessageId")) ?? contentHash(text),
			source: queueArn(String(settings["queue_url"]), String(settings["region"])) ?? "/sqs",
			type: "com.amazonaws.sqs.message",
			...(time !== undefined && { time }),
			datacontenttype: data.kind === "json" ? "application/json" : "text/plain",
		},
		data,
	};
}

/** A notification that S3 has put into the queue. */
function sample(now: number): Sample {
	const message = {
		MessageId: crypto.randomUUID(),
		ReceiptHandle: "sample",
		Body: JSON.stringify({ Records: [s3RecordSample(now)] }),
		Attributes: { SentTimestamp: String(now) },
	};
	return { headers: {}, body: JSON.stringify(message) };
}
