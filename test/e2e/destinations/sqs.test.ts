/** Events that go to a queue of SQS, as an emulator of it takes them and AWS's own client receives them. */
import { CreateQueueCommand, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { isFinished, unique } from "../support/api.ts";
import { type Aws, REGION, startAws } from "../support/aws.ts";
import { setting } from "../support/setting.ts";

const stage = setting();
let aws: Aws;

beforeAll(async () => {
	aws = await startAws();
});
afterAll(() => aws.stop());

const AUTH = {
	type: "aws_sigv4",
	access_key_id: "AKIAIOSFODNN7EXAMPLE",
	secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
	region: REGION,
	service: "sqs",
};

/** An endpoint for the queue, and a subscription of its own to it; returns the type of its events. */
async function sendTo(queue: string, transform?: string): Promise<string> {
	const { api } = stage;
	const type = unique("scan");
	const endpoint = await api.createEndpoint({ url: aws.queueUrl(queue), protocol: "sqs", auth: AUTH });
	await api.createSubscription({
		endpoint: endpoint.id,
		types: [type],
		...(transform !== undefined && { transform }),
	});
	return type;
}

async function createQueue(name: string, attributes: Record<string, string> = {}): Promise<string> {
	await aws.sqs.send(new CreateQueueCommand({ QueueName: name, Attributes: attributes }));
	return name;
}

async function receive(queue: string) {
	const input = {
		QueueUrl: aws.queueUrl(queue),
		MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: ["All" as const],
	};
	return (await aws.sqs.send(new ReceiveMessageCommand(input))).Messages ?? [];
}

async function deliver(event: Record<string, unknown>) {
	const { api } = stage;
	return api.deliveryWhen({ event: await api.publish(event) }, isFinished);
}

test("an event becomes one message, whole and byte for byte, and its id is the result", async () => {
	const queue = await createQueue(unique("events"));
	const type = await sendTo(queue);
	const { api } = stage;
	const document = `{"type":"${type}","id":"7","data":{ "id": 9007199254740993, "ratio":1.50, "name":"Zoë" }}`;
	const { id } = await api.must<{ id: string }>("POST", "/v1/events", document);
	const delivery = await api.deliveryWhen({ event: id }, isFinished);
	const messages = await receive(queue);
	expect(messages).toHaveLength(1);
	const [message] = messages;
	expect(delivery).toMatchObject({ status: "succeeded", result: { message_id: message?.MessageId } });
	expect(message?.Body).toContain('"data":{ "id": 9007199254740993, "ratio":1.50, "name":"Zoë" }');
	expect(JSON.parse(message?.Body ?? "")).toMatchObject({ specversion: "1.0", type, id: "7" });
});

test("a FIFO queue gets the subject as group id and the delivery as deduplication id", async () => {
	const queue = await createQueue(`${unique("ordered")}.fifo`, { FifoQueue: "true" });
	const type = await sendTo(queue, "data.text");
	const delivery = await deliver({ type, subject: "scans/1", data: { text: "hello" } });
	expect(delivery.status).toBe("succeeded");
	expect(await receive(queue)).toMatchObject([
		{
			Body: "hello",
			Attributes: { MessageGroupId: "scans/1", MessageDeduplicationId: delivery.id },
		},
	]);
});

test("a queue that is not there is an error, and nothing is lost", async () => {
	const { api } = stage;
	const type = await sendTo(unique("missing"));
	const event = await api.publish({ type, data: 1 });
	const delivery = await api.deliveryWhen({ event }, ({ attempt_count }) => attempt_count === 1);
	expect(delivery).toMatchObject({
		status: "pending",
		attempts: [{ outcome: "error", status_code: 400, error: expect.stringContaining("QueueDoesNotExist") }],
	});
});
