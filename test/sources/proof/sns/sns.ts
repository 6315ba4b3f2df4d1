/** SNS as the tests play it: signed messages of any type, and the hosts behind their URLs, answered locally. */
import { sign } from "node:crypto";
import { vi } from "vitest";
import { type SnsMessage, stringToSign } from "../../../../src/sources/proof/sns/message.ts";
import { TEST_CERTIFICATE, TEST_KEY } from "./test-only.ts";

export const TOPIC = "arn:aws:sns:eu-central-1:123456789012:uploads";

let certificates = 0;

/** A URL that no test before has used: what is behind it is remembered for good. */
export function certificateUrl(): string {
	certificates += 1;
	return `https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-${certificates}.pem`;
}

export interface Changes {
	[member: string]: string | null | undefined;
}

/** A notification, signed after `changes`; null takes a member away. */
export function notification(changes: Changes = {}): Record<string, string> {
	const message: Changes = {
		Type: "Notification",
		MessageId: "da41e39f-ea4d-435a-b922-c6aae3915ebe",
		TopicArn: TOPIC,
		Subject: "My First Message",
		Message: "Hello world!",
		Timestamp: new Date().toISOString(),
		SignatureVersion: "2",
		SigningCertURL: certificateUrl(),
		UnsubscribeURL: `https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=${TOPIC}:1`,
		...changes,
	};
	return signed(message);
}

export function confirmation(changes: Changes = {}): Record<string, string> {
	const message: Changes = {
		Type: "SubscriptionConfirmation",
		MessageId: "165545c9-2a5c-472c-8df2-7ff2be2b3b1b",
		Token: "2336412f37f",
		TopicArn: TOPIC,
		Message: `You have chosen to subscribe to the topic ${TOPIC}.`,
		SubscribeURL: `https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=2336412f37f`,
		Timestamp: new Date().toISOString(),
		SignatureVersion: "1",
		SigningCertURL: certificateUrl(),
		...changes,
	};
	return signed(message);
}

function signed(changes: Changes): Record<string, string> {
	const present = Object.entries(changes).filter(
		(entry): entry is [string, string] => typeof entry[1] === "string",
	);
	const message = Object.fromEntries(present);
	const digest = message["SignatureVersion"] === "2" ? "sha256" : "sha1";
	// Messages with a member taken away are signed as far as they go.
	const text = stringToSign(message as unknown as SnsMessage);
	return { ...message, Signature: sign(digest, Buffer.from(text), TEST_KEY).toString("base64") };
}

/** Answers what the router fetches; every request is noted. Certificates are there unless `answer` says otherwise. */
export function playSns(answer: (url: URL) => Response | Promise<Response> | undefined = () => undefined): {
	requests: string[];
	redirects: unknown[];
} {
	const requests: string[] = [];
	const redirects: unknown[] = [];
	vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
		const url = new URL(input instanceof Request ? input.url : input);
		requests.push(url.href);
		redirects.push(init?.redirect);
		return (await answer(url)) ?? new Response(url.pathname.endsWith(".pem") ? TEST_CERTIFICATE : "<ok/>");
	});
	return { requests, redirects };
}
