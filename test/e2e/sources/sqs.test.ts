/** Queues of SQS, filled by AWS's own clients: what is sent arrives once, and is gone from the queue then. */
import { CreateTopicCommand, PublishCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import {
	CreateQueueCommand,
	type MessageAttributeValue,
	SendMessageBatchCommand,
	SendMessageCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Delivery, isFinished, unique } from "../support/api.ts";
import { type Aws, startAws } from "../support/aws.ts";
import { answer } from "../support/behaviours.ts";
import type { Model, ReceivedRequest } from "../support/receiver.ts";
import { setting } from "../support/setting.ts";
import { until } from "../support/until.ts";

/** The largest message of SQS, and the largest event. */
const LIMIT = 1_048_576;

const stage = setting();
let aws: Aws;
const sources: string[] = [];

beforeAll(async () => {
	aws = await startAws();
});
afterEach(async () => {
	// Or the shared router would go on asking.
	for (const name of sources.splice(0)) {
		await stage.api.must("POST", `/v1/sources/${name}/pause`);
	}
});
afterAll(() => aws.stop());

async function createQueue(attributes: Record<string, string> = {}, name = unique("queue")): Promise<string> {
	await aws.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
	return name;
}

interface Consumer {
	source: string;
	endpoint: string;
	model: Model;
}

/** A source over the queue, and a model that gets all of its events: attributes in headers, data as the body. */
async function consume(queue: string): Promise<Consumer> {
	const { api, receiver } = stage;
	const model = receiver.model(answer(204));
	const endpoint = await api.createEndpoint({ url: model.url, protocol: "cloudevents" });
	// Paused, or what waits in the queue already could be routed before there is a subscription to it.
	const { name } = await api.createSource({ ...aws.sourceOf(queue), status: "paused" });
	sources.push(name);
	await api.createSubscription({ endpoint: endpoint.id, source: name });
	await api.must("POST", `/v1/sources/${name}/resume`);
	return { source: name, endpoint: endpoint.id, model };
}

async function send(queue: string, body: string, attributes?: Record<string, MessageAttributeValue>) {
	const input = { QueueUrl: aws.queueUrl(queue), MessageBody: body, MessageAttributes: attributes };
	return (await aws.sqs.send(new SendMessageCommand(input))).MessageId;
}

async function sendAll(queue: string, bodies: readonly string[], group?: string): Promise<void> {
	for (let start = 0; start < bodies.length; start += 10) {
		const Entries = bodies.slice(start, start + 10).map((body, index) => ({
			Id: String(index),
			MessageBody: body,
			MessageGroupId: group,
		}));
		const input = { QueueUrl: aws.queueUrl(queue), Entries };
		const { Failed = [] } = await aws.sqs.send(new SendMessageBatchCommand(input));
		expect(Failed).toEqual([]);
	}
}

/**
 * What the model was sent, once there are `count` deliveries that have succeeded and the queue holds nothing more;
 * more or fewer of anything is an error.
 */
async function consumed(queue: string, { source, endpoint, model }: Consumer, count: number) {
	await until(`${queue} to be empty`, () => aws.held(queue).length === 0 || null);
	const deliveries = await until<Delivery[]>(`${count} deliveries`, async () => {
		const found = await stage.api.deliveries({ endpoint });
		return found.length >= count && found.every(isFinished) ? found : null;
	});
	expect(deliveries.map(({ status }) => status)).toEqual(Array(count).fill("succeeded"));
	expect(model.requests).toHaveLength(count);
	const { data } = await stage.api.must<{ data: unknown[] }>("GET", `/v1/events?source=${source}&limit=200`);
	expect(data).toHaveLength(count);
	return model.requests;
}

/** The only one. */
async function consumedOne(queue: string, consumer: Consumer): Promise<ReceivedRequest> {
	const [request] = await consumed(queue, consumer, 1);
	if (request === undefined) throw new Error("unreachable: one request was counted");
	return request;
}

async function readPull(source: string) {
	const { pull } = await stage.api.must<{ pull: Record<string, unknown> }>("GET", `/v1/sources/${source}`);
	return pull;
}

describe("messages from an AWS client", () => {
	test.each([
		["JSON, as it is spelt", '{ "id": 9007199254740993, "ratio":1.50,\n\t"deep":[{"a":null}] }', "json"],
		["a single figure", "0", "json"],
		["emoji, escaped in JSON", '"\\ud83d\\ude00"', "json"],
		["text", "hello", "text"],
		["letters of many scripts", "Grüße, Ελλάδα, 日本語, שלום, e\u0301, \ufffd", "text"],
		[
			"what looks like binary",
			`\ufeff%PDF-1.7\r\n%\u0080\u0081\u00fe\u00ff\t"\\"\\\\u0000\\\n${"</x>&amp;'".repeat(20)}\r`,
			"text",
		],
		["the largest message", `{"filler":"${"µ\\n".repeat((LIMIT - 16) / 4)}"}   `, "json"],
	])("arrives byte for byte, once, and is deleted: %s", async (_what, body, kind) => {
		const queue = await createQueue();
		const consumer = await consume(queue);

		const id = await send(queue, body);

		const request = await consumedOne(queue, consumer);
		expect(request.body.equals(Buffer.from(body))).toBe(true);
		expect(request.headers).toMatchObject({
			"ce-id": id,
			"ce-type": "com.amazonaws.sqs.message",
			"ce-source": aws.queueArn(queue),
			"ce-time": expect.stringMatching(/Z$/),
			"content-type": kind === "json" ? "application/json" : expect.stringMatching(/^text\/plain/),
		});
	});

	test("arrives whatever attributes it has", async () => {
		const queue = await createQueue();
		const consumer = await consume(queue);

		await send(queue, '{"page":1}', {
			tenant: { DataType: "String", StringValue: 'a "quoted" näme' },
			priority: { DataType: "Number", StringValue: "1.50" },
			thumbnail: { DataType: "Binary.png", BinaryValue: new Uint8Array([0x89, 0x50, 0, 0xff]) },
		});

		expect((await consumedOne(queue, consumer)).text).toBe('{"page":1}');
	});

	test("arrives completely and once, also if it needs more than one response", async () => {
		const bodies = Array.from({ length: 60 }, (_, index) => `{"number":${index}}`);
		const queue = await createQueue();
		await sendAll(queue, bodies.slice(0, 40));
		const consumer = await consume(queue);
		await sendAll(queue, bodies.slice(40));

		const requests = await consumed(queue, consumer, bodies.length);
		expect(new Set(requests.map(({ text }) => text))).toEqual(new Set(bodies));
	});

	test("arrives all and once, also where it is more than one event may hold", async () => {
		const bodies = ["a", "b", "c", "d"].map((letter) => letter.repeat(LIMIT));
		const queue = await createQueue();
		for (const body of bodies) await send(queue, body);
		const consumer = await consume(queue);

		const requests = await consumed(queue, consumer, bodies.length);
		expect(new Set(requests.map(({ text }) => text))).toEqual(new Set(bodies));
	});

	test("arrives all and once from a FIFO queue", async () => {
		const queue = await createQueue(
			{ FifoQueue: "true", ContentBasedDeduplication: "true" },
			`${unique("queue")}.fifo`,
		);
		const consumer = await consume(queue);
		const bodies = Array.from({ length: 6 }, (_, index) => `{"number":${index}}`);
		await sendAll(queue, bodies.slice(0, 4), "one");
		await sendAll(queue, bodies.slice(4), "two");
		// The queue takes it for one that it has had.
		await sendAll(queue, bodies.slice(0, 1), "one");

		const requests = await consumed(queue, consumer, bodies.length);
		expect(new Set(requests.map(({ text }) => text))).toEqual(new Set(bodies));
		expect(requests[0]?.headers["ce-source"]).toBe(aws.queueArn(queue));
	});
});

describe.each([
	["wrapped", false],
	["raw", true],
])("what a topic of SNS fans out to the queue, %s", (_how, isRaw) => {
	/** A queue that hears a topic, and who consumes it; `publish` answers the id that SNS gives. */
	async function subscribeQueue() {
		const queue = await createQueue();
		const { TopicArn } = await aws.sns.send(new CreateTopicCommand({ Name: unique("topic") }));
		await aws.sns.send(
			new SubscribeCommand({
				TopicArn,
				Protocol: "sqs",
				Endpoint: aws.queueArn(queue),
				Attributes: { RawMessageDelivery: String(isRaw) },
			}),
		);
		const publish = async (Message: string, Subject?: string) =>
			(await aws.sns.send(new PublishCommand({ TopicArn, Message, Subject }))).MessageId;
		return { queue, consumer: await consume(queue), topic: TopicArn, publish };
	}

	test("records of S3 are events, with the keys of the objects decoded", async () => {
		const { queue, consumer, publish } = await subscribeQueue();
		const records = [
			s3Record("ObjectCreated:Put", "2026/red+flower%2B%C3%BC.jpg", "0055AED6DCD90281E5"),
			s3Record("ObjectRemoved:Delete", "old.jpg", "0055AED6DCD90281E6"),
		];

		await publish(`{"Records":[${records.join(",")}]}`, "Amazon S3 Notification");

		const requests = await consumed(queue, consumer, 2);
		const byType = new Map(requests.map((request) => [request.headers["ce-type"], request]));
		const created = byType.get("com.amazonaws.s3.ObjectCreated:Put");
		expect(created?.text).toBe(records[0]);
		expect(created?.headers).toMatchObject({
			"ce-subject": "2026/red%20flower+%C3%BC.jpg",
			"ce-source": "aws:s3.eu-central-1.scans",
			"ce-time": "2026-11-22T11:18:30.447Z",
		});
		expect(byType.get("com.amazonaws.s3.ObjectRemoved:Delete")?.text).toBe(records[1]);
	});

	test("a CloudEvent is that CloudEvent", async () => {
		const { queue, consumer, publish } = await subscribeQueue();
		const data = '{ "id":9007199254740993 }';

		await publish(
			`{"specversion":"1.0","id":"7","source":"/shop","type":"order.paid","subject":"orders/7","data":${data}}`,
		);

		const request = await consumedOne(queue, consumer);
		expect(request.text).toBe(data);
		expect(request.headers).toMatchObject({
			"ce-id": "7",
			"ce-source": "/shop",
			"ce-type": "order.paid",
			"ce-subject": "orders/7",
		});
	});

	test("any other message is one event", async () => {
		const { queue, consumer, topic, publish } = await subscribeQueue();

		const id = await publish("hello", "Greeting");

		const request = await consumedOne(queue, consumer);
		if (isRaw) {
			expect(request.text).toBe("hello");
			expect(request.headers["ce-type"]).toBe("com.amazonaws.sqs.message");
			return;
		}
		expect(JSON.parse(request.text)).toMatchObject({ MessageId: id, Message: "hello", Subject: "Greeting" });
		expect(request.headers).toMatchObject({
			"ce-id": id,
			"ce-type": "com.amazonaws.sns.Notification",
			"ce-source": topic,
			"ce-subject": "Greeting",
		});
	});
});

describe("when it goes wrong", () => {
	test("a queue that does not exist is shown at the source, and polled again until it does", async () => {
		const queue = unique("late");
		const consumer = await consume(queue);
		const failing = await until("the failure to show", async () => {
			const pull = await readPull(consumer.source);
			return pull["status"] === "failing" ? pull : null;
		});
		expect(failing).toEqual({
			status: "failing",
			last_error: "ReceiveMessage: 400 QueueDoesNotExist: The specified queue does not exist.",
			last_message_at: null,
		});

		await createQueue({}, queue);
		await send(queue, '{"page":1}');

		expect((await consumedOne(queue, consumer)).text).toBe('{"page":1}');
		expect(await readPull(consumer.source)).toEqual({
			status: "running",
			last_error: null,
			last_message_at: expect.stringMatching(/Z$/),
		});
	});

	test("a message that cannot be accepted comes again, and then goes where the queue's redrive policy says", async () => {
		const deadLetters = await createQueue();
		const queue = unique("queue");
		// A queue that takes more than SQS does: nothing else that it sends is ever refused.
		aws.emulator.createQueue(queue, {
			attributes: {
				// Of a busy machine's time: what is accepted is to be deleted before it comes again.
				VisibilityTimeout: "3",
				MaximumMessageSize: String(2 * LIMIT),
				RedrivePolicy: JSON.stringify({
					deadLetterTargetArn: aws.queueArn(deadLetters),
					maxReceiveCount: 2,
				}),
			},
		});
		const oversized = "x".repeat(LIMIT + 1);
		for (const body of ["1", oversized, "2"]) await send(queue, body);

		const consumer = await consume(queue);

		const requests = await consumed(queue, consumer, 2);
		expect(new Set(requests.map(({ text }) => text))).toEqual(new Set(["1", "2"]));
		const [dead, ...others] = aws.emulator.inspectQueue(deadLetters)?.messages.ready ?? [];
		expect(others).toEqual([]);
		expect(dead?.body).toBe(oversized);
		// Twice for the router, the third time for the redrive policy.
		expect(dead?.approximateReceiveCount).toBe(3);
		expect(await readPull(consumer.source)).toMatchObject({ status: "running", last_error: null });
	});
});

/** As S3 writes it, https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html */
function s3Record(eventName: string, key: string, sequencer: string): string {
	return JSON.stringify({
		eventVersion: "2.1",
		eventSource: "aws:s3",
		awsRegion: "eu-central-1",
		eventTime: "2026-11-22T11:18:30.447Z",
		eventName,
		userIdentity: { principalId: "AWS:AIDAJDPLRKLG7UEXAMPLE" },
		requestParameters: { sourceIPAddress: "198.51.100.7" },
		responseElements: {
			"x-amz-request-id": "C3D13FE58DE4C810",
			"x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG",
		},
		s3: {
			s3SchemaVersion: "1.0",
			configurationId: "sluice",
			bucket: {
				name: "scans",
				ownerIdentity: { principalId: "A3NL1KOZZKExample" },
				arn: "arn:aws:s3:::scans",
			},
			object: {
				key,
				size: 1024,
				eTag: "d41d8cd98f00b204e9800998ecf8427e",
				versionId: "096fKKXTRTtl3on89fVO.nfljtsv6qko",
				sequencer,
			},
		},
	});
}
