/**
 * Verifies that a message comes from an SNS topic that the source allows: RSA, PKCS#1 v1.5, with the certificate that
 * the message references (https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html).
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

/** SNS retries for up to an hour with the same signature and timestamp; clocks may differ by minutes. */
const MAX_AGE_MS = 65 * 60_000;
const MAX_AHEAD_MS = 5 * 60_000;

/**
 * FIFO topics are excluded, because they send only to queues.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-fifo-topics.html
 */
const topicArn = z
	.string()
	.regex(
		/^arn:aws(-[a-z]+)*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/,
		"the ARN of a standard topic, such as arn:aws:sns:eu-central-1:123456789012:uploads",
	);

/** The settings of a source with auth `sns`. */
export const snsSettings = z.strictObject({
	/**
	 * The topics whose messages are accepted and subscriptions confirmed: any topic could be subscribed to this URL.
	 */
	topic_arns: z
		.array(topicArn, "is required: a list of topic ARNs")
		.min(1, "at least one topic ARN")
		.max(MAX_TOPICS),
	/** Refuses SHA-1, which a topic uses until its SignatureVersion is set to 2. */
	require_signature_version_2: z.boolean().default(false),
});

export type SnsSettings = z.output<typeof snsSettings>;

/**
 * Verifies a message. `now` in ms. Refuses with 401, with 400 `sns_raw_delivery` for messages without an envelope,
 * which are unsigned, and with 503 `certificate_unavailable` if SNS is unavailable.
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
			"Raw messages are not signed. Turn off raw message delivery for this subscription.",
		);
	}
	// Unknown members are ignored; unreadable settings allow no topic.
	const allowed = snsSettings.strip().safeParse(settings);
	const read = readSnsMessage(body);
	if (!allowed.success || read === null) return NOT_PROVEN;
	const { message } = read;
	// Checked first, so that an unauthorized sender cannot make the router fetch certificates.
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
