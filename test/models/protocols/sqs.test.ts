/** Requests and errors as the API reference of SQS has them; test/e2e/destinations sends them to an emulator. */
import { describe, expect, test } from "vitest";
import type { ModelInput } from "../../../src/models/protocol.ts";
import { find, inputOf, json, outputText, read, request } from "../captures.ts";

const URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/scans";
const LIMIT = 1_048_576;

function sent(input: ModelInput, url = URL): Record<string, unknown> {
	const made = request("sqs", input, { url, model: null });
	return "misfit" in made ? made : (JSON.parse(String(made.body)) as Record<string, unknown>);
}

test("the whole request", () => {
	expect(request("sqs", inputOf(null, '{ "a": 1.50 }'), { url: URL, model: null })).toEqual({
		method: "POST",
		url: "https://sqs.eu-central-1.amazonaws.com/",
		headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage" },
		body: JSON.stringify({ QueueUrl: URL, MessageBody: '{ "a": 1.50 }' }),
	});
});

describe("a message", () => {
	test("is the event, its data byte for byte", () => {
		const { MessageBody } = sent(inputOf(json('{"id": 9007199254740993}')));
		expect(MessageBody).toContain('"data":{"id": 9007199254740993}');
		expect(JSON.parse(String(MessageBody))).toMatchObject({ specversion: "1.0", id: "42" });
	});

	test.each([
		['"plain text"', "plain text"],
		["[1.0]", "[1.0]"],
		['"\\ud83d\\ude00"', "😀"],
		['["\ufffe"]', '["\\ufffe"]'],
	])("is the transform's value %s", (transformed, body) => {
		expect(sent(inputOf(null, transformed))).toMatchObject({ MessageBody: body });
	});

	test.each([
		['""', "the message is empty; SQS does not accept empty messages"],
		['"a\\u0000b"', "the message contains a character that SQS does not accept"],
		['"\\ud800"', "the message contains a character that SQS does not accept"],
		[
			JSON.stringify("é".repeat(LIMIT / 2 + 1)),
			`the message has ${LIMIT + 2} bytes; SQS accepts at most ${LIMIT}`,
		],
	])("that SQS would refuse is not sent", (transformed, misfit) => {
		expect(sent(inputOf(null, transformed))).toEqual({ misfit });
	});

	test("of the largest size is sent", () => {
		expect(sent(inputOf(null, JSON.stringify("a".repeat(LIMIT))))).toHaveProperty("MessageBody");
	});
});

function grouped(subject?: string): Record<string, unknown> {
	const input = inputOf(json("1"));
	if (subject !== undefined) input.event.attributes.subject = subject;
	return sent(input, `${URL}.fifo`);
}

describe("a FIFO queue", () => {
	test("gets the delivery's id, and the subject as the group", () => {
		expect(grouped("scans/1.png")).toMatchObject({
			MessageGroupId: "scans/1.png",
			MessageDeduplicationId: "dlv_1",
		});
		expect(grouped()).toMatchObject({ MessageGroupId: "/sources/db" });
	});

	test("gets another id after a retry by hand, and the same one for each attempt of it", () => {
		const url = `${URL}.fifo`;
		const idAfter = (retriedAfter: number) => {
			const made = request("sqs", inputOf(json("1")), { url, model: null, retriedAfter });
			return "misfit" in made ? made : (JSON.parse(String(made.body)) as object);
		};
		expect(idAfter(0)).toMatchObject({ MessageDeduplicationId: "dlv_1" });
		expect(idAfter(3)).toMatchObject({ MessageDeduplicationId: "dlv_1-3" });
	});

	test.each([["a b"], ["über"], ["x".repeat(129)]])("gets a hash for the subject %j", (subject) => {
		const { MessageGroupId } = grouped(subject);
		expect(MessageGroupId).toMatch(/^[0-9a-f]{64}$/);
		expect(grouped(subject)).toMatchObject({ MessageGroupId });
		expect(grouped(`${subject}.`)).not.toMatchObject({ MessageGroupId });
	});
});

test("the output is the message's id", () => {
	const body = { MD5OfMessageBody: "x", MessageId: "219f8380-5770-4cc2-8c3e-5c715e145f5e" };
	const said = read("sqs", { status: 200, headers: { "x-amzn-requestid": "r" }, body });
	expect(outputText(said)).toBe('{"message_id":"219f8380-5770-4cc2-8c3e-5c715e145f5e"}');
	expect(said).toMatchObject({ class: null, requestId: "r" });
});

test.each([
	[400, "com.amazonaws.sqs#QueueDoesNotExist", "error"],
	[400, "com.amazon.coral.service#ThrottlingException", "busy"],
	[403, "RequestThrottled", "busy"],
	[400, "com.amazonaws.sqs#OverLimit", "busy"],
	[400, "com.amazon.coral.service#AccessDeniedException", "unauthorized"],
	[403, "com.amazon.coral.service#InvalidSignatureException", "unauthorized"],
	[400, "com.amazon.coral.service#UnrecognizedClientException", "unauthorized"],
	[403, "InvalidClientTokenId", "unauthorized"],
	[400, "com.amazonaws.sqs#InvalidMessageContents", null],
	[500, "com.amazon.coral.service#InternalFailure", null],
])("a refusal: %s %s", (status, type, meaning) => {
	const said = read("sqs", { status, body: { __type: type, message: "no" } });
	expect(said).toMatchObject({ class: meaning, output: null });
	expect(said.error).toMatch(/: no$/);
});

test.each([
	[URL, "aws_sigv4", null],
	["http://127.0.0.1:4566/000000000000/a.fifo", "aws_sigv4", null],
	["https://sqs.eu-central-1.amazonaws.com/", "aws_sigv4", "url"],
	[`${URL}?x=1`, "aws_sigv4", "url"],
	["vpc:AWS/1/a", "aws_sigv4", "url"],
	[URL, "none", "auth"],
	[URL, "bearer", "auth"],
])("an endpoint at %s with auth %s", (url, authType, field) => {
	expect(find("sqs").refuse?.({ url, authType })?.field ?? null).toBe(field);
});
