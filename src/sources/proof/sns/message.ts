/**
 * What Amazon SNS posts and puts into queues: the JSON envelope of a notification or of a question about a
 * subscription, and the text that its signature covers. Pure.
 */
import * as z from "zod";
import { readJsonObject } from "../../reading/json-body.ts";

const common = {
	MessageId: z.string(),
	TopicArn: z.string(),
	Message: z.string(),
	Timestamp: z.string(),
};
const signature = {
	SignatureVersion: z.enum(["1", "2"]),
	Signature: z.string(),
	SigningCertURL: z.string(),
};

const notification = z.object({
	Type: z.literal("Notification"),
	...common,
	Subject: z.string().nullish(),
});
const envelope = z.discriminatedUnion("Type", [
	notification.extend(signature),
	z.object({
		Type: z.enum(["SubscriptionConfirmation", "UnsubscribeConfirmation"]),
		...common,
		...signature,
		Token: z.string(),
		SubscribeURL: z.string(),
	}),
]);

/** Members are named as SNS names them. */
export type SnsMessage = z.infer<typeof envelope>;
export type SnsNotification = z.infer<typeof notification>;

/** null when the bytes are no SNS message. The content type says nothing: SNS calls its JSON `text/plain`. */
export function readSnsMessage(body: Uint8Array): { message: SnsMessage; text: string } | null {
	return readEnvelope(body, envelope);
}

/** null when the bytes are no notification. FIFO topics do not sign what they put into queues. */
export function readSnsNotification(body: Uint8Array): { message: SnsNotification; text: string } | null {
	return readEnvelope(body, notification);
}

function readEnvelope<T>(body: Uint8Array, schema: z.ZodType<T>): { message: T; text: string } | null {
	const read = readJsonObject(body);
	if (!read.ok) return null;
	const parsed = schema.safeParse(read.json.value);
	return parsed.success ? { message: parsed.data, text: read.json.text } : null;
}

/**
 * Names and values of the signed members, a line each, in byte order of the names, a subject only where there is
 * one (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html). No value can pass for
 * other members: the last two, the topic and the type, are compared whole with what the source expects.
 */
export function stringToSign(message: SnsMessage): string {
	const { Message, MessageId, Timestamp, TopicArn, Type } = message;
	const members =
		message.Type === "Notification"
			? { Message, MessageId, Subject: message.Subject, Timestamp, TopicArn, Type }
			: {
					Message,
					MessageId,
					SubscribeURL: message.SubscribeURL,
					Timestamp,
					Token: message.Token,
					TopicArn,
					Type,
				};
	return Object.entries(members)
		.filter(([, value]) => value !== undefined && value !== null)
		.map(([name, value]) => `${name}\n${value}\n`)
		.join("");
}
