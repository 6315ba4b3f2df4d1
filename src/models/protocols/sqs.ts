/**
 * Protocol `sqs`: an Amazon SQS queue, by its queue URL, in AWS's JSON protocol. The output is the
 * message's id. In a FIFO queue the messages of one subject are in one group, and the deduplication
 * id is the delivery's, with a suffix after a retry by hand, which SQS must not drop as a repetition.
 * https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
 */
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { originOf } from "../requests/address.ts";
import { messageOf } from "../requests/message.ts";
import type { Exchange, Reading } from "../exchange.ts";
import { readData } from "../responses/output.ts";
import type { ModelInput, Protocol } from "../protocol.ts";
import { errorTextOf, isSuccess, objectIn, reading, stringOf } from "../responses/reading.ts";

const MAX_BYTES = 1_048_576;
const QUEUE_URL = /^https?:\/\/[^/?#]+\/[^/?#]+\/[A-Za-z0-9_-]{1,80}(?:\.fifo)?$/;
/** Group ids have up to 128 of these characters. */
const GROUP_ID = /^[!-~]{1,128}$/;
/** XML 1.0 cannot contain these characters, and SQS does not accept them. */
const NOT_TAKEN = /[^\t\n\r -\ufffd]/;

export const sqs: Protocol = {
	defaults: { maxConcurrency: null },
	needsModel: () => false,
	refuse({ url, authType }) {
		if (!QUEUE_URL.test(url)) {
			const message = "must be the queue's URL, https://sqs.{region}.amazonaws.com/{account}/{name}";
			return { field: "url", message };
		}
		return authType === "aws_sigv4" ? null : { field: "auth", message: "must be of type aws_sigv4" };
	},
	request(input, { url, deliveryId, retriedAfter = 0 }) {
		const text = bodyOf(input);
		const size = Buffer.byteLength(text);
		if (size > MAX_BYTES)
			return { misfit: `the message has ${size} bytes; SQS accepts at most ${MAX_BYTES}` };
		if (text === "") return { misfit: "the message is empty; SQS does not accept empty messages" };
		if (NOT_TAKEN.test(text) || !text.isWellFormed())
			return { misfit: "the message contains a character that SQS does not accept" };
		return {
			method: "POST",
			url: `${originOf(url)}/`,
			headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.SendMessage" },
			body: JSON.stringify({
				QueueUrl: url,
				MessageBody: text,
				...(url.endsWith(".fifo") && {
					MessageGroupId: groupOf(input),
					MessageDeduplicationId: retriedAfter === 0 ? deliveryId : `${deliveryId}-${retriedAfter}`,
				}),
			}),
		};
	},
	read(exchange) {
		const said = objectIn(exchange);
		const requestId = stringOf(exchange.headers["x-amzn-requestid"]);
		if (!isSuccess(exchange)) return reading({ ...refusalOf(said, exchange), requestId });
		const id = stringOf(said?.["MessageId"]);
		return reading({ output: id === null ? readData(exchange) : outputOf(id), requestId });
	},
};

/** In JSON, the two characters that SQS does not accept can be escaped. */
function bodyOf(input: ModelInput): string {
	const { kind, text } = messageOf(input);
	if (kind === "text") return text;
	return text.replaceAll("\ufffe", String.raw`\ufffe`).replaceAll("\uffff", String.raw`\uffff`);
}

function groupOf({ event }: ModelInput): string {
	const { subject, source } = event.attributes;
	const group = subject ?? source;
	return GROUP_ID.test(group) ? group : createHash("sha256").update(group).digest("hex");
}

function outputOf(messageId: string): Reading["output"] {
	const text = JSON.stringify({ message_id: messageId });
	return { kind: "data", data: { kind: "json", text }, contentType: "application/json" };
}

const BUSY =
	/^(?:Throttling|ThrottlingException|RequestThrottled|OverLimit|KmsThrottled|ServiceUnavailable)$/;
const UNAUTHORIZED =
	/^(?:AccessDenied|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken|ExpiredToken|InvalidSecurity|OptInRequired|NotAuthorized|KmsAccessDenied)/;
/** The queue may be created again, and the message is not at fault. */
const NO_QUEUE = /^(?:QueueDoesNotExist|NonExistentQueue|QueueDeletedRecently|InvalidAddress)/;

/**
 * `com.amazonaws.sqs#QueueDoesNotExist`: the name after the last `#` identifies the error, whatever
 * the status.
 */
function refusalOf(
	said: Record<string, unknown> | null,
	exchange: Exchange,
): Pick<Reading, "class" | "error"> {
	const type = stringOf(said?.["__type"])?.split(/[#.]/).at(-1) ?? null;
	const message = stringOf(said?.["Message"]) ?? errorTextOf(exchange);
	const error = [type, message].filter((part) => part !== null).join(": ");
	return { class: type === null ? null : classOf(type), error: stringOf(error) };
}

function classOf(type: string): Reading["class"] {
	if (BUSY.test(type)) return "busy";
	if (UNAUTHORIZED.test(type)) return "unauthorized";
	return NO_QUEUE.test(type) ? "error" : null;
}
