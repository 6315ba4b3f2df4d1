import { env } from "cloudflare:workers";
import { describe, expect, inject, test } from "vitest";
import { sqsSettings } from "../../../src/sources/sqs/settings.ts";
import type { CloudEvent } from "../../../src/events/event.ts";
import { ask, badPaths, must, ORIGIN } from "../../api/client.ts";
import { parseWith, setupAs } from "../bind.ts";
import { makeSource } from "../make-source.ts";
import { notification } from "../proof/sns/sns.ts";

const QUEUE_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/scans";
const SETTINGS = { queue_url: QUEUE_URL, region: "eu-central-1", access_key_id: "AKIAIOSFODNN7EXAMPLE" };
/** What really is asked; nothing leaves this machine. */
const STUB = { ...SETTINGS, queue_url: `${inject("sqs").url}/123456789012/sqs-test` };
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const RECORD = `{"eventSource":"aws:s3","awsRegion":"eu-central-1","eventName":"ObjectCreated:Put","responseElements":{"x-amz-request-id":"R","x-amz-id-2":"I"},"s3":{"bucket":{"name":"b"},"object":{"key":"a+b.png","size":9007199254740993,"sequencer":"0055"}}}`;
const STRUCTURED = '{"specversion":"1.0","id":"7","source":"/s","type":"t","data":{"n":1.50}}';

function parse(message: unknown) {
	const body = message instanceof Uint8Array ? message : Buffer.from(JSON.stringify(message));
	const source = makeSource({ kind: "sqs", settings: SETTINGS });
	return parseWith("sqs", { source, headers: new Headers(), body, now: 0, freshId: "fresh" });
}

/** The message as SQS describes it. */
function message(body: string): object {
	return {
		MessageId: "219f8380-5770-4cc2-8c3e-5c715e145f5e",
		ReceiptHandle: "AQEBaZ",
		MD5OfBody: "d41d8",
		Body: body,
		Attributes: { SentTimestamp: "1677598068000" },
	};
}

async function events(body: string): Promise<CloudEvent[]> {
	const parsed = await parse(message(body));
	return parsed.ok ? parsed.events : [];
}

describe("the event is taken out of the message", () => {
	test("a notification of S3, record by record", async () => {
		const found = await events(`{"Records":[${RECORD},${RECORD.replace("0055", "0056")}]}`);
		expect(found).toHaveLength(2);
		expect(found[0]).toEqual({
			attributes: {
				id: "R.I.a+b.png.0055",
				source: "aws:s3.eu-central-1.b",
				type: "com.amazonaws.s3.ObjectCreated:Put",
				subject: "a b.png",
				datacontenttype: "application/json",
			},
			data: { kind: "json", text: RECORD },
		});
	});

	test("an SNS message, whoever signed it: the queue's policy decides who may send", async () => {
		const sns = JSON.stringify({ ...notification(), Signature: "" });
		expect(await events(sns)).toMatchObject([
			{ attributes: { type: "com.amazonaws.sns.Notification" }, data: { kind: "json", text: sns } },
		]);
	});

	test("a notification of S3 in a message of SNS", async () => {
		const sns = notification({ Message: `{"Records":[${RECORD}]}` });
		expect(await events(JSON.stringify(sns))).toMatchObject([
			{ attributes: { type: "com.amazonaws.s3.ObjectCreated:Put" }, data: { text: RECORD } },
		]);
	});

	test("a CloudEvent", async () => {
		expect(await events(STRUCTURED)).toEqual([
			{ attributes: { id: "7", source: "/s", type: "t" }, data: { kind: "json", text: '{"n":1.50}' } },
		]);
	});

	test("a CloudEvent in a message of SNS", async () => {
		const sns = notification({ Message: STRUCTURED });
		expect(await events(JSON.stringify(sns))).toEqual(await events(STRUCTURED));
	});

	test("a message of a FIFO topic, which has no signature", async () => {
		const { Signature: _1, SignatureVersion: _2, SigningCertURL: _3, ...unsigned } = notification();
		const sns = { ...unsigned, SequenceNumber: "10000000000000000000" };
		expect(await events(JSON.stringify(sns))).toMatchObject([
			{ attributes: { id: unsigned["MessageId"], type: "com.amazonaws.sns.Notification" } },
		]);
		expect(await events(JSON.stringify({ ...sns, Message: STRUCTURED }))).toEqual(await events(STRUCTURED));
	});

	test("and no deeper than that", async () => {
		const event = `{"specversion":"1.0","id":"8","source":"/s","type":"t","data":${STRUCTURED}}`;
		expect(await events(event)).toMatchObject([{ attributes: { id: "8" }, data: { text: STRUCTURED } }]);
		const outer = notification({ Message: JSON.stringify(notification({ Message: STRUCTURED })) });
		expect(await events(JSON.stringify(outer))).toMatchObject([
			{ attributes: { type: "com.amazonaws.sns.Notification" } },
		]);
	});

	test("nothing, when S3 only says that notifications are on", async () => {
		const test = { Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "b" };
		expect(await parse(message(JSON.stringify(test)))).toEqual({ ok: true, events: [], batch: false });
	});
});

describe("any other body is data", () => {
	test.each([
		["JSON, as it is spelt", '{ "id": 9007199254740993, "ratio": 1.50 }', "json", "application/json"],
		["text", "hello", "text", "text/plain"],
		["a CloudEvent that is none", '{"specversion":"1.0","id":""}', "json", "application/json"],
		["a list", "[1,2]", "json", "application/json"],
		["an empty list", "[]", "json", "application/json"],
		["half of a JSON text", '{"Records":[', "text", "text/plain"],
		["depth without end", `${"[".repeat(10_000)}${"]".repeat(10_000)}`, "json", "application/json"],
		["a member twice", '{"a":1,"a":2}', "json", "application/json"],
	])("%s", async (_what, text, kind, datacontenttype) => {
		expect(await events(text)).toEqual([
			{
				attributes: {
					id: "219f8380-5770-4cc2-8c3e-5c715e145f5e",
					source: "arn:aws:sqs:eu-central-1:123456789012:scans",
					type: "com.amazonaws.sqs.message",
					time: "2023-02-28T15:27:48.000Z",
					datacontenttype,
				},
				data: { kind, text },
			},
		]);
	});
});

test.each([
	["no body", { MessageId: "1" }, "invalid_sqs_message"],
	["a body that is no text", { MessageId: "1", Body: {} }, "invalid_sqs_message"],
	["a list", [], "invalid_payload"],
	["truncated", Buffer.from('{"MessageId":"1","Body":"a'), "invalid_json"],
	["no UTF-8", Buffer.from([0x22, 0xc0, 0xa0, 0x22]), "invalid_json"],
	["a member twice", Buffer.from('{"Body":"a","Body":"b"}'), "duplicate_member"],
	[
		"depth without end",
		Buffer.from(`{"Body":"a","x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`),
		"nested_too_deep",
	],
])("no message of SQS: %s", async (_what, body, code) => {
	expect(await parse(body)).toMatchObject({ ok: false, status: 400, code });
});

describe("a source", () => {
	let count = 0;
	const create = (changes: object = {}) => {
		const fields = {
			name: `sqs-${++count}`,
			kind: "sqs",
			settings: STUB,
			secret: SECRET,
			status: undefined,
		};
		return ask("POST", "/v1/sources", { ...fields, ...changes });
	};

	test("has no URL, and its secret is shown once", async () => {
		const { status, body } = await create();
		expect(status).toBe(201);
		expect(body).toMatchObject({
			auth: { type: "aws_keys" },
			settings: STUB,
			ingest_url: null,
			secret: SECRET,
		});
		expect(await must("GET", `/v1/sources/${body.name}`)).not.toHaveProperty("secret");
		await must("DELETE", `/v1/sources/${body.name}`);
	});

	test.each([
		["no settings", { settings: undefined }, ["settings.queue_url", "settings.access_key_id"]],
		["no secret: the router cannot make one up", { secret: undefined }, ["secret"]],
		["a secret that is none of AWS", { secret: "with spaces in it, and long" }, ["secret"]],
		[
			"a region that is not to be seen",
			{ settings: { ...SETTINGS, region: undefined, queue_url: "http://127.0.0.1:1/123456789012/q" } },
			["settings.region"],
		],
		[
			"a queue of somebody else",
			{ settings: { ...SETTINGS, queue_url: "ftp://x.example/123456789012/q" } },
			["settings.queue_url"],
		],
		["another proof", { auth: { type: "bearer" } }, ["auth.type"]],
	])("is refused with %s", async (_what, changes, paths) => {
		const answer = await create(changes);
		expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
		expect(badPaths(answer)).toEqual(paths);
	});

	const EMULATED = { settings: { ...STUB, access_key_id: "test" }, secret: "test" };

	test("of LocalStack or ElasticMQ has the key that their users have", async () => {
		const { status, body } = await create(EMULATED);
		expect(status).toBe(201);
		await must("DELETE", `/v1/sources/${body.name}`);
	});

	test("needs a key as AWS makes them where no emulator may be asked", async () => {
		env.ALLOW_PRIVATE_ENDPOINTS = "false";
		try {
			const answer = await create({ settings: { ...SETTINGS, access_key_id: "test" } });
			expect(badPaths(answer)).toEqual(["settings.access_key_id"]);
			expect(badPaths(await create({ settings: SETTINGS, secret: "test" }))).toEqual(["secret"]);
		} finally {
			env.ALLOW_PRIVATE_ENDPOINTS = "true";
		}
	});

	test("of another kind cannot use AWS keys, nor become one without them", async () => {
		const answer = await ask("POST", "/v1/sources", {
			name: "a",
			auth: { type: "aws_keys" },
			secret: SECRET,
		});
		expect(badPaths(answer)).toEqual(["auth.type"]);
		await must("POST", "/v1/sources", { name: "was-generic" });
		const patch = await ask("PATCH", "/v1/sources/was-generic", { kind: "sqs", settings: SETTINGS });
		expect(badPaths(patch)).toEqual(["auth.type"]);
	});

	test("accepts nothing over HTTP, and its sample takes the path of a message", async () => {
		const { body } = await create();
		const posted = await ask("POST", `/in/${body.name}`, { hello: "world" });
		expect(posted).toMatchObject({ status: 405, body: { code: "source_not_posted" } });
		const tested = await must("POST", `/v1/sources/${body.name}/test`);
		expect(tested["answer"]).toEqual({ status: 202, body: { ids: [expect.stringMatching(/^evt_/)] } });
		await must("POST", `/v1/sources/${body.name}/pause`);
		expect(await ask("POST", `/v1/sources/${body.name}/test`)).toMatchObject({ status: 503 });
		await must("DELETE", `/v1/sources/${body.name}`);
	});
});

test("the region is the one in the queue's URL, unless it is given", () => {
	const { region: _, ...settings } = SETTINGS;
	expect(sqsSettings.parse(settings)).toEqual(SETTINGS);
	expect(sqsSettings.parse({ ...settings, region: "us-east-1" })).toMatchObject({ region: "us-east-1" });
});

function setUp(settings: Record<string, unknown>) {
	const source = makeSource({ name: "scans", kind: "sqs", settings });
	return setupAs("sqs", { source, url: `${ORIGIN}/in/scans`, secret: "<SECRET>" }).variants[0];
}

test("set-up gives the key's user the queue and nothing else, and takes it away again", () => {
	const variant = setUp(SETTINGS);
	const [policy] = variant?.steps ?? [];
	// Another source with the same user has another policy.
	expect(policy?.code).toContain('put-user-policy --user-name "$user" --policy-name sluice-scans ');
	expect(policy?.code).toContain('"Action":["sqs:ReceiveMessage","sqs:DeleteMessage"]');
	expect(policy?.code).toContain('"Resource":"arn:aws:sqs:eu-central-1:123456789012:scans"');
	expect(variant?.remove?.code).toContain(
		'delete-user-policy --user-name "$user" --policy-name sluice-scans\n',
	);
	expect(JSON.stringify(variant)).not.toContain("undefined");
});

test("set-up leaves a bucket its other notifications", () => {
	const others = '.QueueConfigurations[]? | select(.Id != "sluice-scans")]';
	const { steps = [], remove } = setUp(SETTINGS) ?? {};
	expect(steps[2]?.code).toContain(`${others} + [{"Id":"sluice-scans","QueueArn":"arn:aws:sqs:`);
	expect(remove?.code).toContain(`${others}'`);
});

test("set-up of a FIFO queue has no bucket, which S3 would refuse, and messages of a group", () => {
	const { steps = [], remove } = setUp({ ...SETTINGS, queue_url: `${SETTINGS.queue_url}.fifo` }) ?? {};
	expect(JSON.stringify([steps, remove])).not.toMatch(/s3|bucket/i);
	expect(steps.at(-2)?.code).toContain("--message-group-id sluice --message-deduplication-id");
});
