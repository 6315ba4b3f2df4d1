/**
 * A stub of Amazon SQS for puller.test.ts, on loopback: its JSON protocol with long polling, visibility timeouts and
 * receipt handles, and signatures of AWS Signature Version 4 that are computed anew from the bytes that came. It
 * runs in Node, as vitest's global setup, because nothing can listen inside workerd.
 */
import { createHash, createHmac, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

declare module "vitest" {
	interface ProvidedContext {
		/** Origin, and the one key that is let in. */
		sqs: { url: string; accessKeyId: string; secretAccessKey: string };
	}
}

const KEY = {
	accessKeyId: "AKIAIOSFODNN7EXAMPLE",
	secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
const REGION = "eu-central-1";
const MAX_CLOCK_SKEW_MS = 300_000;

interface Message {
	id: string;
	/** null: the message is sent without one, which SQS never does. */
	body: string | null;
	/** Of the last receipt; an older one deletes nothing. */
	handle: string | null;
	visibleAt: number;
	receipts: number;
}

/** What a test reads and sets through `/control/{queue}`. */
interface Queue {
	messages: Message[];
	deleted: string[];
	visibilityMs: number;
	/** Receives that wait for a message now. */
	waiting: Set<() => void>;
	receives: number;
	/** What every request is answered with, while set. */
	failure: { status: number; type: string; message: string | null } | null;
	/** Deletes to answer with `Failed`. */
	failDeletes: number;
}

const queues = new Map<string, Queue>();

function queueOf(name: string): Queue {
	const known = queues.get(name);
	if (known !== undefined) return known;
	const made: Queue = {
		messages: [],
		deleted: [],
		visibilityMs: 30_000,
		waiting: new Set(),
		receives: 0,
		failure: null,
		failDeletes: 0,
	};
	queues.set(name, made);
	return made;
}

/** What the actions take; a client that sends something else shows as a failed test. */
interface Input {
	QueueUrl: string;
	MaxNumberOfMessages: number;
	WaitTimeSeconds: number;
	Entries: { Id: string; ReceiptHandle: string }[];
}

type Action = (queue: Queue, input: Input, response: ServerResponse) => Promise<object>;

const actions: Record<string, Action> = {
	async ReceiveMessage(queue, input, response) {
		queue.receives++;
		const take = () =>
			queue.messages.filter(({ visibleAt }) => visibleAt <= Date.now()).slice(0, input.MaxNumberOfMessages);
		if (take().length === 0) await untilMessage(queue, input.WaitTimeSeconds * 1000, response);
		const taken = response.destroyed ? [] : take();
		if (taken.length === 0) return {};
		return {
			Messages: taken.map((message) => {
				message.handle = randomUUID();
				message.visibleAt = Date.now() + queue.visibilityMs;
				message.receipts++;
				return {
					MessageId: message.id,
					ReceiptHandle: message.handle,
					...(message.body !== null && {
						MD5OfBody: createHash("md5").update(message.body).digest("hex"),
						Body: message.body,
					}),
					Attributes: { SentTimestamp: "1545082649183" },
				};
			}),
		};
	},

	async DeleteMessageBatch(queue, input) {
		const Successful: object[] = [];
		const Failed: object[] = [];
		for (const { Id, ReceiptHandle } of input.Entries) {
			const message = queue.messages.find(({ handle }) => handle === ReceiptHandle);
			if (message === undefined || queue.failDeletes > 0) {
				queue.failDeletes = Math.max(0, queue.failDeletes - 1);
				Failed.push({ Id, Code: "InternalError", SenderFault: false });
				continue;
			}
			queue.messages = queue.messages.filter((other) => other !== message);
			queue.deleted.push(message.id);
			Successful.push({ Id });
		}
		return { Successful, Failed };
	},
};

/** Until a message is sent or comes back, the wait is over, or nobody waits any more. */
function untilMessage(queue: Queue, waitMs: number, response: ServerResponse): Promise<void> {
	return new Promise((resolve) => {
		const end = () => {
			queue.waiting.delete(end);
			clearTimeout(timer);
			resolve();
		};
		const back = Math.min(...queue.messages.map(({ visibleAt }) => visibleAt - Date.now()));
		const timer = setTimeout(end, Math.min(waitMs, back));
		response.on("close", end);
		queue.waiting.add(end);
	});
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
	const chunks: Buffer[] = [];
	for await (const chunk of request) chunks.push(chunk as Buffer);
	const body = Buffer.concat(chunks);
	const send = (status: number, value: object) =>
		response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(value));
	const refuse = (status: number, type: string, message: string | null) =>
		send(status, { __type: `com.amazonaws.sqs#${type}`, message });

	const [, control, name = ""] = (request.url ?? "").split("/");
	if (control === "control") return void send(200, controlQueue(queueOf(name), body));

	const wrong = refuseSignature(request, body);
	if (wrong !== null) return void refuse(403, "SignatureDoesNotMatch", wrong);
	const input = JSON.parse(body.toString()) as Input;
	const queue = queueOf(new URL(input.QueueUrl).pathname.split("/").at(-1) ?? "");
	if (queue.failure !== null)
		return void refuse(queue.failure.status, queue.failure.type, queue.failure.message);
	const action = actions[String(request.headers["x-amz-target"]).replace("AmazonSQS.", "")];
	if (action === undefined || request.headers["content-type"] !== "application/x-amz-json-1.0") {
		return void refuse(400, "InvalidAction", "no such action");
	}
	send(200, await action(queue, input, response));
}

/** `{send, ...}` adds messages and sets fields; the answer is what the queue is like then. */
function controlQueue(queue: Queue, body: Buffer): object {
	const {
		send = [],
		showAgain = false,
		...fields
	} = JSON.parse(body.toString() || "{}") as Partial<Queue> & {
		send?: Pick<Message, "id" | "body">[];
		showAgain?: boolean;
	};
	Object.assign(queue, fields);
	for (const { id, body } of send) queue.messages.push({ id, body, handle: null, visibleAt: 0, receipts: 0 });
	if (showAgain) for (const message of queue.messages) message.visibleAt = 0;
	if (send.length > 0 || showAgain) for (const end of queue.waiting) end();
	return { ...queue, waiting: queue.waiting.size };
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html; null when it holds. */
function refuseSignature(request: IncomingMessage, body: Buffer): string | null {
	const pattern =
		/^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/;
	const [, keyId, day = "", region = "", service = "", names = "", signature] =
		pattern.exec(request.headers.authorization ?? "") ?? [];
	if (keyId !== KEY.accessKeyId) return "The access key is not known.";
	if (region !== REGION || service !== "sqs") return `Credential should be scoped to ${REGION} and sqs.`;
	const date = String(request.headers["x-amz-date"]);
	const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
	const [year = 0, month = 0, ...rest] = parts.map(Number);
	const skew = Math.abs(Date.UTC(year, month - 1, ...rest) - Date.now());
	if (!date.startsWith(day) || !(skew <= MAX_CLOCK_SKEW_MS)) return "Signature expired.";
	const signedNames = names.split(";");
	if (!["host", "x-amz-date", "x-amz-target"].every((name) => signedNames.includes(name)))
		return "Not all signed.";

	const canonicalRequest = [
		request.method,
		request.url,
		"",
		...signedNames.map((name) => `${name}:${String(request.headers[name]).trim()}`),
		"",
		names,
		sha256(body),
	].join("\n");
	const scope = `${day}/${region}/${service}/aws4_request`;
	const stringToSign = ["AWS4-HMAC-SHA256", date, scope, sha256(canonicalRequest)].join("\n");
	const key = [day, region, service, "aws4_request"].reduce<string | Buffer>(
		hmac,
		`AWS4${KEY.secretAccessKey}`,
	);
	return hmac(key, stringToSign).toString("hex") === signature ? null : "The signatures do not match.";
}

function hmac(key: string | Buffer, text: string): Buffer {
	return createHmac("sha256", key).update(text).digest();
}

function sha256(bytes: string | Buffer): string {
	return createHash("sha256").update(bytes).digest("hex");
}

export default async function setup(project: TestProject): Promise<() => void> {
	const server = createServer((request, response) => {
		answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const { port } = server.address() as AddressInfo;
	project.provide("sqs", { url: `http://127.0.0.1:${port}`, ...KEY });
	return () => {
		server.close();
		server.closeAllConnections();
	};
}
