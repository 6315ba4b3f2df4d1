import { afterEach, describe, expect, test, vi } from "vitest";
import { readSnsMessage, stringToSign } from "../../../../src/sources/proof/sns/message.ts";
import { snsSettings, verifySns } from "../../../../src/sources/proof/sns/signature.ts";
import { PROVIDERS } from "../../../../src/sources/proof/trust.ts";
import { certificateUrl, confirmation, notification, playSns, TOPIC } from "./sns.ts";
import { EC_CERTIFICATE, EXPIRED_CERTIFICATE, OTHER_CERTIFICATE, TEST_CERTIFICATE } from "./test-only.ts";

const SETTINGS = { topic_arns: [TOPIC], require_signature_version_2: false };
const MINUTE = 60_000;

afterEach(() => {
	vi.restoreAllMocks();
});

async function check(message: unknown, settings: Record<string, unknown> = SETTINGS): Promise<boolean> {
	return (await verified(message, settings)).ok;
}

async function verified(message: unknown, settings: Record<string, unknown> = SETTINGS) {
	const body = Buffer.from(typeof message === "string" ? message : JSON.stringify(message));
	return verifySns(settings, { headers: new Headers(), body, now: Date.now() }, PROVIDERS);
}

function ago(ms: number): string {
	return new Date(Date.now() - ms).toISOString();
}

describe("the signed text", () => {
	test("a notification, as the developer guide of SNS shows it", () => {
		const body = JSON.stringify({
			Type: "Notification",
			MessageId: "4d4dc071-ddbf-465d-bba8-08f81c89da64",
			TopicArn: "arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
			Subject: "My subject",
			Message: "My Test Message",
			Timestamp: "2019-01-31T04:37:04.321Z",
			SignatureVersion: "1",
			Signature: "x",
			SigningCertURL: "https://sns.us-east-2.amazonaws.com/x.pem",
		});
		const read = readSnsMessage(Buffer.from(body));
		expect(read === null ? null : stringToSign(read.message)).toBe(
			[
				"Message",
				"My Test Message",
				"MessageId",
				"4d4dc071-ddbf-465d-bba8-08f81c89da64",
				"Subject",
				"My subject",
				"Timestamp",
				"2019-01-31T04:37:04.321Z",
				"TopicArn",
				"arn:aws:sns:us-east-2:123456789012:s4-MySNSTopic-1G1WEFCOXTC0P",
				"Type",
				"Notification",
				"",
			].join("\n"),
		);
	});

	test("a confirmation", () => {
		const read = readSnsMessage(Buffer.from(JSON.stringify(confirmation())));
		const names = (read === null ? "" : stringToSign(read.message)).split("\n").filter((_, i) => i % 2 === 0);
		const signed = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
		expect(names).toEqual([...signed, ""]);
	});
});

test.each([
	["SignatureVersion 1, SHA-1", notification({ SignatureVersion: "1" })],
	["SignatureVersion 2, SHA-256", notification({ SignatureVersion: "2" })],
	["no subject", notification({ Subject: null })],
	[
		"a message of many lines and all of Unicode",
		notification({ Message: 'a\n"Type"\nNotification\n€ 😀\u0000' }),
	],
	["a confirmation", confirmation()],
	["an end of a subscription", confirmation({ Type: "UnsubscribeConfirmation" })],
	["the last retry of SNS", notification({ Timestamp: ago(62 * MINUTE) })],
	["a clock ahead of ours", notification({ Timestamp: ago(-4 * MINUTE) })],
	["China", notification({ SigningCertURL: "https://sns.cn-north-1.amazonaws.com.cn/a.pem" })],
	[
		"the European Sovereign Cloud",
		notification({ SigningCertURL: "https://sns.eusc-de-east-1.amazonaws.eu/a.pem" }),
	],
])("holds: %s", async (_what, message) => {
	playSns();
	expect(await check(message)).toBe(true);
});

test.each([
	["another message", { ...notification(), Message: "Hello!" }],
	["another subject", { ...notification(), Subject: "Other" }],
	["a subject that was not signed", { ...notification({ Subject: null }), Subject: "Other" }],
	["the version exchanged", { ...notification({ SignatureVersion: "1" }), SignatureVersion: "2" }],
	["no signature", { ...notification(), Signature: "" }],
	["a signature of another length", { ...notification(), Signature: "AAAA" }],
	["a notification passed off as a confirmation", { ...notification(), Type: "SubscriptionConfirmation" }],
	["a second message that was not signed", JSON.stringify(notification()).replace("{", '{"Message":"x",')],
])("does not hold: %s", async (_what, message) => {
	playSns();
	expect(await check(message)).toBe(false);
});

test.each([
	["another topic", notification({ TopicArn: `${TOPIC}2` })],
	["a topic that names ours", notification({ TopicArn: `x\n${TOPIC}` })],
	["too old", notification({ Timestamp: ago(66 * MINUTE) })],
	["too far ahead", notification({ Timestamp: ago(-6 * MINUTE) })],
	["no time", notification({ Timestamp: "soon" })],
	["another version", notification({ SignatureVersion: "3" })],
	["a member missing", notification({ MessageId: null })],
	["no JSON", "{"],
	["a list", JSON.stringify([notification()])],
	["nested without end", "[".repeat(10_000) + "]".repeat(10_000)],
])("refused before anything is fetched: %s", async (_what, message) => {
	const { requests } = playSns();
	expect(await check(message)).toBe(false);
	expect(requests).toEqual([]);
});

test("SHA-1 is refused where the source asks for version 2", async () => {
	playSns();
	const strict = { ...SETTINGS, require_signature_version_2: true };
	expect(await check(notification({ SignatureVersion: "1" }), strict)).toBe(false);
	expect(await check(notification({ SignatureVersion: "2" }), strict)).toBe(true);
});

test("a source without topics accepts nothing", async () => {
	playSns();
	expect(await check(notification(), {})).toBe(false);
});

describe("the certificate", () => {
	test.each([
		"http://sns.eu-central-1.amazonaws.com/a.pem",
		// Of a bucket of S3 whose name is `sns`.
		"https://sns.s3.amazonaws.com/a.pem",
		"https://sns.s3-eu-west-1.amazonaws.com/a.pem",
		"https://sns.eu-central-1.amazonaws.com:8443/a.pem",
		"https://user:pw@sns.eu-central-1.amazonaws.com/a.pem",
		"https://sns.eu-central-1.amazonaws.com/a.pem?Action=GetTopicAttributes",
		"https://sns.eu-central-1.amazonaws.com/?Action=GetTopicAttributes&x=.pem",
		"https://sns.eu-central-1.amazonaws.com/a.pem#x",
		"https://sns.eu-central-1.amazonaws.com/a.txt",
		"https://sns.eu-central-1.amazonaws.com.evil.example/a.pem",
		"https://evil.example/sns.eu-central-1.amazonaws.com/a.pem",
		"https://xsns.eu-central-1.amazonaws.com/a.pem",
		"https://sns.a.b.amazonaws.com/a.pem",
		"https://sns.amazonaws.com/a.pem",
		"https://bucket.s3.amazonaws.com/a.pem",
		"not a url",
	])("is not fetched from %s", async (SigningCertURL) => {
		const { requests } = playSns();
		expect(await check(notification({ SigningCertURL }))).toBe(false);
		expect(requests).toEqual([]);
	});

	test("is fetched once for each URL, and no redirect is followed", async () => {
		const { requests, redirects } = playSns();
		const url = certificateUrl();
		expect(await check(notification({ SigningCertURL: url }))).toBe(true);
		expect(await check(notification({ SigningCertURL: url, Message: "another" }))).toBe(true);
		expect(requests).toEqual([url]);
		expect(redirects).toEqual(["manual"]);
	});

	test.each([
		["of another key", () => new Response(OTHER_CERTIFICATE)],
		["expired", () => new Response(EXPIRED_CERTIFICATE)],
		["of a key that is not RSA", () => new Response(EC_CERTIFICATE)],
		["no certificate", () => new Response("<html>")],
		[
			"behind a redirect",
			() => new Response(null, { status: 302, headers: { location: "https://x.example" } }),
		],
		["not there", () => new Response(TEST_CERTIFICATE, { status: 404 })],
		["not to be seen", () => new Response(TEST_CERTIFICATE, { status: 403 })],
	])("does not do: %s", async (_what, answer) => {
		playSns(answer);
		expect(await check(notification())).toBe(false);
	});

	test.each([
		["SNS fails", () => new Response(null, { status: 503 })],
		["SNS has no time", () => new Response(null, { status: 429 })],
		["the connection breaks", () => Promise.reject(new TypeError("broken"))],
		["the answer does not end", () => new Response("-".repeat(70_000))],
	])("when it cannot be had, SNS is to send again: %s", async (_what, answer) => {
		playSns(answer);
		const url = certificateUrl();
		expect(await verified(notification({ SigningCertURL: url }))).toMatchObject({
			ok: false,
			status: 503,
			code: "certificate_unavailable",
		});
		vi.restoreAllMocks();
		playSns();
		expect(await check(notification({ SigningCertURL: url }))).toBe(true);
	});
});

describe("settings", () => {
	test.each([
		["a topic", [TOPIC], true],
		["a topic in China", ["arn:aws-cn:sns:cn-north-1:123456789012:a"], true],
		["a FIFO topic, which sends to queues only", ["arn:aws:sns:eu-central-1:123456789012:a.fifo"], false],
		["GovCloud", ["arn:aws-us-gov:sns:us-gov-west-1:123456789012:a"], true],
		["none", [], false],
		["a queue", ["arn:aws:sqs:eu-central-1:123456789012:uploads"], false],
		["all topics", ["arn:aws:sns:eu-central-1:123456789012:*"], false],
		["a subscription", [`${TOPIC}:1-2-3`], false],
	])("topics: %s", (_what, topic_arns, ok) => {
		expect(snsSettings.safeParse({ topic_arns }).success).toBe(ok);
	});

	test("version 1 is accepted by default", () => {
		expect(snsSettings.parse({ topic_arns: [TOPIC] })).toEqual(SETTINGS);
	});
});
