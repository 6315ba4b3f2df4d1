/**
 * Whether a message comes from a topic of SNS that the source allows: RSA, PKCS#1 v1.5, by the certificate that
 * the message names (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).
 */
import { verify } from "node:crypto";
import * as z from "zod";
import { isTimestamp } from "../../../events/cloudevents/attributes.ts";
import { refuse } from "../../../http/refusal.ts";
import { isValidAt } from "./certificate.ts";
import { NOT_PROVEN, PROVEN, type Verified } from "../verified.ts";
import { readSnsMessage, type SnsMessage, stringToSign } from "./message.ts";
import type { Trust } from "../trust.ts";

const MAX_TOPICS = 100;
const DIGESTS = { "1": "sha1", "2": "sha256" } as const;

/** SNS goes on for up to an hour with the same signature and timestamp; clocks may differ by minutes. */
const MAX_AGE_MS = 65 * 60_000;
const MAX_AHEAD_MS = 5 * 60_000;

/** No FIFO topic among them: these send to queues only. https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html */
const topicArn = z
	.string()
	.regex(
		/^arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/,
		"the ARN of a standard topic, such as arn:aws:sns:eu-central-1:123456789012:uploads",
	);

/** The settings of a source with auth `sns`. */
export const snsSettings = z.strictObject({
	/** Whose messages count and whose subscriptions are confirmed: anyone's topic can be pointed at this URL. */
	topic_arns: z
		.array(topicArn, "is required: a list of topic ARNs")
		.min(1, "at least one topic ARN")
		.max(MAX_TOPICS),
	/** Refuses SHA-1, which is what a topic signs with until its SignatureVersion is set to 2. */
	require_signature_version_2: z.boolean().default(false),
});

export type SnsSettings = z.output<typeof snsSettings>;

/**
 * `now` in ms. Refuses with 401; with 400 `sns_raw_delivery` messages without an envelope, which carry no signature;
 * with 503 `certificate_unavailable` when SNS cannot be asked.
 */
export async function verifySns(
	settings: Record<string, unknown>,
	{ headers, body, now }: { headers: Headers; body: Uint8Array; now: number },
	trust: Trust,
): Promise<Verified> {
	if (headers.get("x-amz-sns-rawdelivery")?.toLowerCase() === "true") {
		return refuse(
			400,
			"sns_raw_delivery",
			"Turn raw message delivery off for this subscription: raw messages are not signed.",
		);
	}
	// Members that a newer release has stored are ignored; settings that cannot be read allow no topic.
	const allowed = snsSettings.strip().safeParse(settings);
	const read = readSnsMessage(body);
	if (!allowed.success || read === null) return NOT_PROVEN;
	const { message } = read;
	// Before anything is fetched: who may not send cannot make the router ask for certificates either.
	if (!isExpected(message, allowed.data, now)) return NOT_PROVEN;
	const found = await trust.snsCertificate(message.SigningCertURL);
	if (!found.ok) return found;
	const { certificate } = found;
	if (certificate === null || !isValidAt(certificate, now)) return NOT_PROVEN;
	const signature = Buffer.from(message.Signature, "base64");
	const digest = DIGESTS[message.SignatureVersion];
	const isSigned = verify(digest, Buffer.from(stringToSign(message)), certificate.key, signature);
	return isSigned ? PROVEN : NOT_PROVEN;
}

function isExpected(message: SnsMessage, settings: SnsSettings, now: number): boolean {
	if (!settings.topic_arns.includes(message.TopicArn)) return false;
	if (settings.require_signature_version_2 && message.SignatureVersion !== "2") return false;
	const age = isTimestamp(message.Timestamp) ? now - Date.parse(message.Timestamp) : Number.NaN;
	return age >= -MAX_AHEAD_MS && age <= MAX_AGE_MS;
}
