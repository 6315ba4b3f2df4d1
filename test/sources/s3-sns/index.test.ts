import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { receive } from "../../../src/ingest/receive.ts";
import { readS3Notification } from "../../../src/sources/reading/s3-records.ts";
import { cacheSource } from "../../../src/store/views/source-cache.ts";
import { type Captured, captureQueue } from "../capture.ts";
import { parseWith, setupAs } from "../bind.ts";
import { makeSource } from "../make-source.ts";
import { type Changes, confirmation, notification, playSns, TOPIC } from "../proof/sns/sns.ts";

const SNS_HEADERS = {
	"content-type": "text/plain; charset=UTF-8",
	"user-agent": "Amazon Simple Notification Service Agent",
};

let logged: MockInstance<typeof console.log>;
beforeEach(() => {
	logged = vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
	vi.restoreAllMocks();
});

/** From the S3 user guide. */
const PUT_RECORD = `{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"us-west-2","eventTime":"1970-01-01T00:00:00.000Z","eventName":"ObjectCreated:Put","userIdentity":{"principalId":"AIDAJDPLRKLG7UEXAMPLE"},"requestParameters":{"sourceIPAddress":"127.0.0.1"},"responseElements":{"x-amz-request-id":"C3D13FE58DE4C810","x-amz-id-2":"FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD"},"s3":{"s3SchemaVersion":"1.0","configurationId":"testConfigRule","bucket":{"name":"mybucket","ownerIdentity":{"principalId":"A3NL1KOZZKExample"},"arn":"arn:aws:s3:::mybucket"},"object":{"key":"HappyFace.jpg","size":1024,"eTag":"d41d8cd98f00b204e9800998ecf8427e","versionId":"096fKKXTRTtl3on89fVO.nfljtsv6qko","sequencer":"0055AED6DCD90281E5"}}}`;
const TEST_EVENT = `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"amzn-s3-demo-bucket","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE"}`;
const REQUEST_ID = "C3D13FE58DE4C810.FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG4V5Wp6S7S/JRWeUWerMUE5JgHvANOjpD";

async function post(
	body: unknown,
	headers: Record<string, string> = SNS_HEADERS,
	settings: Record<string, unknown> = { topic_arns: [TOPIC], require_signature_version_2: false },
): Promise<{ response: Response; queue: Captured }> {
	const queue = captureQueue();
	const source = makeSource({ kind: "s3-sns", auth: { type: "sns" }, settings });
	await cacheSource(queue.env, source);
	const context = createExecutionContext();
	const text = typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
	const request = new Request(`https://sluice.example/in/${source.name}`, {
		method: "POST",
		headers,
		body: text,
	});
	const response = await receive(request, queue.env, context, source.name);
	await waitOnExecutionContext(context);
	return { response, queue };
}

function lines(): Record<string, unknown>[] {
	return logged.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
}

describe("a notification of S3", () => {
	test("becomes an event, its record's text as S3 wrote it", async () => {
		playSns();
		const { response, queue } = await post(notification({ Message: `{"Records":[${PUT_RECORD}]}` }));
		expect(response.status).toBe(202);
		const events = await queue.events();
		expect(events).toMatchObject([
			{
				attributes: {
					id: `${REQUEST_ID}.HappyFace.jpg.0055AED6DCD90281E5`,
					source: "aws:s3.us-west-2.mybucket",
					type: "com.amazonaws.s3.ObjectCreated:Put",
					subject: "HappyFace.jpg",
					time: "1970-01-01T00:00:00.000Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: PUT_RECORD },
			},
		]);
		expect(await response.json()).toEqual({ id: events[0]?.id });
	});

	test("with several records becomes as many events, each with an id of its own", async () => {
		playSns();
		const records = ["a.jpg", "b.jpg"].map((key) => PUT_RECORD.replace("HappyFace.jpg", key));
		const { response, queue } = await post(
			notification({ Message: `{ "Records" : [ ${records.join(" , ")} ] }` }),
		);
		const events = await queue.events();
		expect(queue.messages).toHaveLength(1);
		expect(await response.json()).toEqual({ ids: events.map(({ id }) => id) });
		expect(new Set(events.map(({ id }) => id)).size).toBe(2);
		expect(events.map(({ attributes, data }) => [attributes.subject, data])).toEqual(
			records.map((text, index) => [["a.jpg", "b.jpg"][index], { kind: "json", text }]),
		);
	});

	test("sent again by SNS is the same event", async () => {
		playSns();
		const message = { Message: `{"Records":[${PUT_RECORD}]}` };
		const first = await parseWith("s3-sns", input(notification(message)));
		const again = await parseWith("s3-sns", input(notification({ ...message, MessageId: "another" })));
		expect(again).toEqual(first);
	});

	test("of switching notifications on is acknowledged and dropped", async () => {
		playSns();
		const { response, queue } = await post(notification({ Message: TEST_EVENT }));
		expect(response.status).toBe(200);
		expect(queue.messages).toEqual([]);
	});
});

/** The attributes of the record above, its text changed. */
const record = (changes: (record: string) => string) =>
	readS3Notification(`{"Records":[${changes(PUT_RECORD)}]}`)?.[0]?.attributes;

describe("the type of a record", () => {
	test.each([
		["red+flower.jpg", "red flower.jpg"],
		["red%2Bflower.jpg", "red+flower.jpg"],
		["2026%2Finvoice+%E2%82%AC.png", "2026/invoice €.png"],
		["100%25.png", "100%.png"],
		["100%.png", undefined],
		["%C0%A0.png", undefined],
		["a%0Ab.png", undefined],
		["", undefined],
	])("the key %j is the subject %j", (key, subject) => {
		expect(record((text) => text.replace("HappyFace.jpg", key))?.subject).toBe(subject);
	});

	test("MinIO's name for it is the one of S3, and it has no region", () => {
		const attributes = record((text) =>
			text
				.replace('"ObjectCreated:Put"', '"s3:ObjectCreated:Put"')
				.replace('"aws:s3"', '"minio:s3"')
				.replace("us-west-2", ""),
		);
		expect(attributes).toMatchObject({
			type: "com.amazonaws.s3.ObjectCreated:Put",
			source: "aws:s3.mybucket",
		});
	});

	test.each([
		[
			"without request id: a hash of the record",
			(text: string) => text.replace("x-amz-request-id", "x"),
			/^[0-9a-f]{64}$/,
		],
		[
			"with a key too long: a hash of the parts",
			(text: string) => text.replace("HappyFace", "x".repeat(1_100)),
			/^[0-9a-f]{64}$/,
		],
		[
			"without a sequencer: the version",
			(text: string) => text.replace("sequencer", "x"),
			/\.HappyFace\.jpg\.096fKKXTRTtl3on89fVO\.nfljtsv6qko$/,
		],
	])("the id %s", (_what, changes, id) => {
		expect(record(changes)?.id).toMatch(id);
	});
});

describe("another message of the topic", () => {
	test("becomes an event of SNS, as it was posted", async () => {
		playSns();
		const message = notification();
		const { response, queue } = await post(message);
		expect(response.status).toBe(202);
		expect(await queue.events()).toMatchObject([
			{
				attributes: {
					id: message["MessageId"],
					source: TOPIC,
					type: "com.amazonaws.sns.Notification",
					subject: "My First Message",
					time: message["Timestamp"],
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: JSON.stringify(message) },
			},
		]);
	});

	test.each([
		["records of something else", '{"Records":[{"eventSource":"aws:ses"}]}'],
		["one record of something else", `{"Records":[${PUT_RECORD},{}]}`],
		["no records", '{"Records":[]}'],
		["records that are no list", '{"Records":{"0":{}}}'],
		["a number", "42"],
		["half of a JSON text", '{"Records":[{'],
		["depth without end", "[".repeat(10_000)],
		["a record of another shape", PUT_RECORD.replace('"object":{', '"object":[{').replace("}}}", "}]}}")],
	])("so does %s", async (_what, text) => {
		playSns();
		const { response, queue } = await post(notification({ Message: text }));
		expect(response.status).toBe(202);
		expect((await queue.events()).map(({ attributes }) => attributes.type)).toEqual([
			"com.amazonaws.sns.Notification",
		]);
	});

	test("a subject that cannot be an attribute is left out", async () => {
		playSns();
		const { queue } = await post(notification({ Subject: "line\nbreak" }));
		expect((await queue.events())[0]?.attributes).not.toHaveProperty("subject");
	});
});

describe("subscriptions", () => {
	test("a new one is confirmed by asking SNS, once", async () => {
		const { requests } = playSns();
		const message = confirmation();
		const { response, queue } = await post(message);
		expect(response.status).toBe(200);
		expect(requests).toEqual([message["SigningCertURL"], message["SubscribeURL"]]);
		expect(queue.messages).toEqual([]);
		expect(lines()).toContainEqual({ event: "sns.subscription", topic: TOPIC, confirmed: true, status: 200 });
	});

	test("the end of one is noted and never confirmed: that would subscribe again", async () => {
		const { requests } = playSns();
		const message = confirmation({ Type: "UnsubscribeConfirmation" });
		const { response } = await post(message);
		expect(response.status).toBe(200);
		expect(requests).toEqual([message["SigningCertURL"]]);
		expect(lines()).toContainEqual({ event: "sns.unsubscribed", topic: TOPIC });
	});

	test.each([
		["of a topic that is not allowed", { TopicArn: `${TOPIC}-of-somebody` }],
		["from long ago", { Timestamp: "2020-01-01T00:00:00.000Z" }],
	] satisfies [string, Changes][])("one %s is refused and nothing is fetched", async (_what, changes) => {
		const { requests } = playSns();
		const { response } = await post(confirmation(changes));
		expect(response.status).toBe(401);
		expect(requests).toEqual([]);
	});

	test("one that is not signed by SNS is not confirmed", async () => {
		const { requests } = playSns();
		const message: Record<string, string> = { ...confirmation(), Token: "changed" };
		expect((await post(message)).response.status).toBe(401);
		expect(requests).toEqual([message["SigningCertURL"]]);
	});

	test.each([
		"https://evil.example/?Action=ConfirmSubscription",
		"http://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription",
	])("only SNS is called: %s", async (SubscribeURL) => {
		const { requests } = playSns();
		const message = confirmation({ SubscribeURL });
		const { response } = await post(message);
		expect(response.status).toBe(503);
		expect(requests).toEqual([message["SigningCertURL"]]);
	});

	test.each([
		["fails", new Response(null, { status: 500 })],
		["says no", new Response(null, { status: 403 })],
		["sends us elsewhere", new Response(null, { status: 302, headers: { location: "https://x.example/" } })],
	])("when SNS %s it is made to ask again", async (_what, answer) => {
		playSns((url) => (url.search === "" ? undefined : answer));
		const { response } = await post(confirmation());
		expect(response.status).toBe(503);
		expect(await response.json()).toMatchObject({ code: "subscription_not_confirmed" });
	});
});

describe("refused, and nothing is stored", () => {
	const good = JSON.stringify(notification());
	test.each<
		[what: string, body: string | Uint8Array, headers: Record<string, string>, status: number, code: string]
	>([
		["truncated", good.slice(0, -20), SNS_HEADERS, 401, "unauthorized"],
		["empty", "", SNS_HEADERS, 401, "unauthorized"],
		["wrongly signed", good.replace("Hello", "Hallo"), SNS_HEADERS, 401, "unauthorized"],
		[
			"stale",
			JSON.stringify(notification({ Timestamp: "2026-01-01T00:00:00.000Z" })),
			SNS_HEADERS,
			401,
			"unauthorized",
		],
		["a member twice", good.replace("{", '{"TopicArn":"x",'), SNS_HEADERS, 401, "unauthorized"],
		[
			"nested without end",
			`{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
			SNS_HEADERS,
			401,
			"unauthorized",
		],
		[
			"no UTF-8",
			Buffer.concat([Buffer.from(good.slice(0, -1)), Buffer.from([0xc0, 0xa0])]),
			SNS_HEADERS,
			401,
			"unauthorized",
		],
		["compressed", good, { ...SNS_HEADERS, "content-encoding": "gzip" }, 415, "unsupported_content_encoding"],
		[
			"raw delivery",
			PUT_RECORD,
			{ ...SNS_HEADERS, "x-amz-sns-rawdelivery": "true" },
			400,
			"sns_raw_delivery",
		],
	])("%s", async (_what, body, headers, status, code) => {
		playSns();
		const { response, queue } = await post(body, headers);
		expect(response.status).toBe(status);
		expect(await response.json()).toMatchObject({ code });
		expect(queue.messages).toEqual([]);
	});

	test("a certificate that cannot be had is a 503, so that SNS sends again", async () => {
		playSns(() => new Response(null, { status: 500 }));
		const { response, queue } = await post(notification());
		expect(response.status).toBe(503);
		expect(await response.json()).toMatchObject({ code: "certificate_unavailable" });
		expect(queue.messages).toEqual([]);
	});
});

test("the content type says nothing", async () => {
	playSns();
	expect((await post(notification(), { "content-type": "application/x-anything" })).response.status).toBe(
		202,
	);
});

test("set-up names the topic and the URL, and how all of it is taken away", () => {
	const source = makeSource({ name: "scans", kind: "s3-sns", settings: { topic_arns: [TOPIC] } });
	const [variant] = setupAs("s3-sns", { source, url: "https://sluice.example/in/s", secret: "" }).variants;
	const code = variant?.steps.map((step) => step.code).join("\n");
	expect(code).toContain(`aws sns subscribe --topic-arn '${TOPIC}' --region eu-central-1`);
	expect(code).toContain("--protocol https --notification-endpoint 'https://sluice.example/in/s'");
	expect(code).toContain('"aws:SourceAccount":"123456789012"');
	expect(variant?.remove?.code).toContain("aws sns unsubscribe");
	// The bucket keeps its other notifications, then and now.
	const others = 'select(.Id != "sluice-scans")]';
	expect(code).toContain(`.TopicConfigurations[]? | ${others} + [{"Id":"sluice-scans","TopicArn":"${TOPIC}"`);
	expect(variant?.remove?.code).toContain(`.TopicConfigurations[]? | ${others}'`);
});

test("set-up names the protocol of the URL: SNS refuses another, and emulators are on http", () => {
	const source = makeSource({ name: "scans", kind: "s3-sns", settings: { topic_arns: [TOPIC] } });
	const url = "http://127.0.0.1:8787/in/s";
	const [variant] = setupAs("s3-sns", { source, url, secret: "" }).variants;
	const code = variant?.steps.map((step) => step.code).join("\n");
	expect(code).toContain(`--protocol http --notification-endpoint '${url}'`);
});

function input(message: Record<string, string>) {
	const body = Buffer.from(JSON.stringify(message));
	return {
		source: makeSource({ kind: "s3-sns", settings: { topic_arns: [TOPIC] } }),
		headers: new Headers(),
		body,
		now: Date.now(),
		freshId: "fresh",
	};
}
