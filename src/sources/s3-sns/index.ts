/**
 * S3 event notifications through an SNS topic. Other messages of the topic become events too, following the CloudEvents
 * adapter for SNS (cloudevents/spec, adapters/aws-sns.md).
 */
import type { CloudEvent } from "../../events/event.ts";
import { refuse } from "../../http/refusal.ts";
import { confirmSns } from "../proof/sns/confirm.ts";
import { readSnsMessage, type SnsNotification } from "../proof/sns/message.ts";
import { type SnsSettings, snsSettings } from "../proof/sns/signature.ts";
import { isUsableUri, timeFrom, usableText } from "../reading/attribute-values.ts";
import { contentHash } from "../reading/content-hash.ts";
import { type Parsed, type Sample, defineKind } from "../kind.ts";
import { idFrom } from "../reading/publisher-id.ts";
import { readS3Notification, s3RecordSample } from "../reading/s3-records.ts";
import { setupSns } from "./setup.ts";

const NOTHING: Parsed = { ok: true, events: [], batch: false, reply: { status: 200, body: null } };

export const s3Sns = defineKind({
	defaultAuth: { type: "sns" },
	auths: ["sns"],
	settings: snsSettings,

	async parse({ body }): Promise<Parsed> {
		const read = readSnsMessage(body);
		if (read === null) return refuse(400, "invalid_sns_message", "The body is not an Amazon SNS message.");
		const { message, text } = read;
		if (message.Type !== "Notification") {
			if (await confirmSns(message)) return NOTHING;
			return refuse(
				503,
				"subscription_not_confirmed",
				"SNS did not accept the confirmation. Send the request again.",
			);
		}
		const events = eventsOfNotification(message, text);
		return events.length === 0 ? NOTHING : { ok: true, events, batch: events.length > 1 };
	},

	setup: setupSns,
	sample,
});

/** Returns the S3 records in the message, or the whole message as one event. `text` is its JSON. */
export function eventsOfNotification(message: SnsNotification, text: string): CloudEvent[] {
	const records = readS3Notification(message.Message);
	if (records !== null) return records;
	const subject = usableText(message.Subject);
	const time = timeFrom(message.Timestamp);
	return [
		{
			attributes: {
				id: idFrom(message.MessageId) ?? contentHash(text),
				source: isUsableUri(message.TopicArn) ? message.TopicArn : "/sns",
				type: "com.amazonaws.sns.Notification",
				...(subject !== undefined && { subject }),
				...(time !== undefined && { time }),
				datacontenttype: "application/json",
			},
			data: { kind: "json", text },
		},
	];
}

/** From the first topic that the source allows. SNS puts its signature into the body. */
function sample(now: number, { topic_arns: [topic = ""] }: SnsSettings): Sample {
	const host = `https://sns.${topic.split(":")[3]}.amazonaws.com`;
	const body = {
		Type: "Notification",
		MessageId: crypto.randomUUID(),
		TopicArn: topic,
		Subject: "Amazon S3 Notification",
		Message: JSON.stringify({ Records: [s3RecordSample(now)] }),
		Timestamp: new Date(now).toISOString(),
		SignatureVersion: "2",
		Signature: "",
		SigningCertURL: `${host}/SimpleNotificationService-sample.pem`,
		UnsubscribeURL: `${host}/?Action=Unsubscribe&SubscriptionArn=${topic}:sample`,
	};
	const headers = {
		"content-type": "text/plain; charset=UTF-8",
		"x-amz-sns-message-type": body.Type,
		"x-amz-sns-message-id": body.MessageId,
		"x-amz-sns-topic-arn": topic,
	};
	return { headers, body: JSON.stringify(body) };
}
