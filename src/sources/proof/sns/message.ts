/**
 * The messages of Amazon SNS: the JSON envelope of a notification or subscription message, and the text that its
 * signature covers. Pure.
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

/** Returns null if the bytes are not an SNS message. Ignores the content type: SNS sends its JSON as `text/plain`. */
export function readSnsMessage(body: Uint8Array): { message: SnsMessage; text: string } | null {
	return readEnvelope(body, envelope);
}

/** Returns null if the bytes are not a notification. FIFO topics do not sign what they send to queues. */
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
 * Returns the names and values of the signed members, a line each, in byte order of the names; the subject only if
 * there is one (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html). A value cannot imitate
 * other members, because the last two, topic and type, are compared with the expected values.
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
