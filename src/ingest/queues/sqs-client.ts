/**
 * The two Amazon SQS actions that the router needs, in the JSON protocol, signed with AWS Signature Version 4.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/
 */
import { AwsClient } from "aws4fetch";
import * as z from "zod";
import { parseJson } from "../../events/json/parse.ts";
import { elementTexts, memberTexts } from "../../events/json/text.ts";
import { readResponse } from "../../http/read-response.ts";

/** A queue and its access key. */
export interface SqsQueue {
	url: string;
	region: string;
	accessKeyId: string;
	secretAccessKey: string;
}

export interface SqsMessage {
	id: string;
	/** Identifies this receipt of the message, for its deletion. */
	receiptHandle: string;
	/** The message as SQS returns it, JSON. */
	text: string;
}

/** `error` is for the operator: the error of SQS, without any content of the request. */
export type SqsResult<T> = { ok: true; value: T } | { ok: false; error: string };

/** The maximum wait time and batch size of SQS. */
const WAIT_SECONDS = 20;
const MAX_MESSAGES = 10;
/** How long SQS may take in addition to the wait time. */
const TIMEOUT_MS = 10_000;
/** Ten messages of 1 MiB, plus JSON escaping. */
const MAX_RESPONSE_BYTES = 32 * 1_048_576;
const MAX_ERROR_LENGTH = 300;

const receivedSchema = z.object({
	Messages: z.array(z.object({ MessageId: z.string(), ReceiptHandle: z.string() })).nullish(),
});
const deletedSchema = z.object({
	Failed: z.array(z.object({ Id: z.string(), Code: z.string() })).nullish(),
});
/** `com.amazonaws.sqs#QueueDoesNotExist`, and its message, in either spelling; null if there is none. */
const errorSchema = z
	.object({ __type: z.string(), message: z.string().nullish(), Message: z.string().nullish() })
	.transform(({ __type: type, message, Message }) => ({ type, message: message ?? Message }));

/** Waits up to 20 s for messages. They stay invisible to other consumers for the queue's visibility timeout. */
export async function receiveMessages(
	queue: SqsQueue,
	signal: AbortSignal,
): Promise<SqsResult<SqsMessage[]>> {
	const input = {
		QueueUrl: queue.url,
		MaxNumberOfMessages: MAX_MESSAGES,
		WaitTimeSeconds: WAIT_SECONDS,
		MessageSystemAttributeNames: ["SentTimestamp"],
	};
	const timeout = AbortSignal.timeout(WAIT_SECONDS * 1000 + TIMEOUT_MS);
	const called = await call(queue, "ReceiveMessage", input, AbortSignal.any([signal, timeout]));
	if (!called.ok) return called;
	const parsed = receivedSchema.safeParse(called.value.json);
	if (!parsed.success) return { ok: false, error: "ReceiveMessage: the response is invalid" };
	const messages = parsed.data.Messages ?? [];
	if (messages.length === 0) return { ok: true, value: [] };
	const texts = elementTexts(memberTexts(called.value.text).get("Messages") ?? "[]");
	return {
		ok: true,
		value: messages.map(({ MessageId, ReceiptHandle }, index) => ({
			id: MessageId,
			receiptHandle: ReceiptHandle,
			text: texts[index] ?? "",
		})),
	};
}

/** Deletes up to 10 messages. Returns the ids of those that SQS did not delete, with the reasons. */
export async function deleteMessages(
	queue: SqsQueue,
	messages: readonly SqsMessage[],
): Promise<SqsResult<{ id: string; code: string }[]>> {
	const input = {
		QueueUrl: queue.url,
		Entries: messages.map(({ receiptHandle }, index) => ({
			Id: String(index),
			ReceiptHandle: receiptHandle,
		})),
	};
	const called = await call(queue, "DeleteMessageBatch", input, AbortSignal.timeout(TIMEOUT_MS));
	if (!called.ok) return called;
	const parsed = deletedSchema.safeParse(called.value.json);
	if (!parsed.success) return { ok: false, error: "DeleteMessageBatch: the response is invalid" };
	const failed = parsed.data.Failed ?? [];
	return {
		ok: true,
		value: failed.map(({ Id, Code }) => ({ id: messages[Number(Id)]?.id ?? Id, code: Code })),
	};
}

async function call(
	{ url, region, accessKeyId, secretAccessKey }: SqsQueue,
	action: string,
	input: object,
	signal: AbortSignal,
): Promise<SqsResult<{ text: string; json: unknown }>> {
	try {
		// The puller decides about retries.
		const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: "sqs", retries: 0 });
		const request = await client.sign(new URL("/", url), {
			method: "POST",
			headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` },
			body: JSON.stringify(input),
		});
		const response = await fetch(request, { redirect: "manual", signal });
		const text = await readResponse(response, MAX_RESPONSE_BYTES);
		if (text === null)
			return { ok: false, error: `${action}: the response exceeds ${MAX_RESPONSE_BYTES} bytes` };
		const parsed = parseJson(text);
		const json = parsed.ok ? parsed.value : null;
		if (response.ok) return { ok: true, value: { text, json } };
		return { ok: false, error: describe(action, response.status, json) };
	} catch (error) {
		return { ok: false, error: `${action}: ${String(error)}`.slice(0, MAX_ERROR_LENGTH) };
	}
}

/** `ReceiveMessage: 403 InvalidClientTokenId: The security token …`, with what SQS reports. */
function describe(action: string, status: number, json: unknown): string {
	const { data: error } = errorSchema.safeParse(json);
	const said = [error?.type.split("#").at(-1), error?.message]
		.filter((part) => typeof part === "string")
		.join(": ");
	return `${action}: ${status} ${said}`.trim().slice(0, MAX_ERROR_LENGTH);
}
