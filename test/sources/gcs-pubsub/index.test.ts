import { describe, expect, test } from "vitest";
import type { SourceAuth } from "../../../src/store/records.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { RECEIVED_AT, parseAs, parseOne } from "../parse.ts";
import { setupAs } from "../bind.ts";

const SUBSCRIPTION = "projects/myproject/subscriptions/mysubscription";

function wrapped(message: object, data?: string | Uint8Array): string {
	const base64 = data === undefined ? {} : { data: Buffer.from(data).toString("base64") };
	return JSON.stringify({
		deliveryAttempt: 5,
		message: {
			messageId: "2070443601311540",
			publishTime: "2021-02-26T19:13:55.749Z",
			...base64,
			...message,
		},
		subscription: SUBSCRIPTION,
	});
}

/** As Google's page on payload unwrapping shows them. */
const METADATA = {
	"x-goog-pubsub-subscription-name": SUBSCRIPTION,
	"x-goog-pubsub-message-id": "2070443601311540",
	"x-goog-pubsub-publish-time": "2021-02-26T19:13:55.749Z",
};

const FINALIZED = {
	bucketId: "scans",
	objectId: "inbox/red flower.jpg",
	eventType: "OBJECT_FINALIZE",
	eventTime: "2021-02-26T19:13:54.123456Z",
	objectGeneration: "1614366834123456",
	notificationConfig: "projects/_/buckets/scans/notificationConfigs/1",
	payloadFormat: "JSON_API_V1",
};

test("a message, its data as it was published", async () => {
	const text = '{"status": "Hello there", "n": 9007199254740993}';
	expect(await parseAs("gcs-pubsub", { body: wrapped({ orderingKey: "key" }, text) })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "2070443601311540",
					source: `//pubsub.googleapis.com/${SUBSCRIPTION}`,
					type: "google.cloud.pubsub.topic.v1.messagePublished",
					subject: "key",
					time: "2021-02-26T19:13:55.749Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text },
			},
		],
		batch: false,
	});
});

test("an unwrapped message is the same event as the wrapped one", async () => {
	const text = '{"status": "Hello there"}';
	const body = wrapped({ orderingKey: "key", attributes: FINALIZED }, text);
	const headers = { ...METADATA, "x-goog-pubsub-ordering-key": "key", ...FINALIZED };
	expect(await parseOne("gcs-pubsub", { headers, body: text })).toEqual(
		await parseOne("gcs-pubsub", { body }),
	);
});

describe("data is what it is", () => {
	const PNG = new Uint8Array([0x89, 0x50, 0xff]);
	test.each([
		["JSON", "[1.0]", {}, { kind: "json", text: "[1.0]" }, "application/json"],
		["text", "hello", {}, { kind: "text", text: "hello" }, "text/plain"],
		["bytes", PNG, {}, { kind: "binary", base64: "iVD/" }, "application/octet-stream"],
		[
			"as the attribute says",
			PNG,
			{ "Content-Type": "image/png" },
			{ kind: "binary", base64: "iVD/" },
			"image/png",
		],
		[
			"not as the attribute says",
			"no",
			{ "content-type": "application/json" },
			{ kind: "text", text: "no" },
			"text/plain",
		],
	])("%s", async (_what, bytes, attributes, data, contentType) => {
		const event = await parseOne("gcs-pubsub", { body: wrapped({ attributes }, bytes) });
		expect(event.data).toEqual(data);
		expect(event.attributes.datacontenttype).toBe(contentType);
	});

	test("or none", async () => {
		const event = await parseOne("gcs-pubsub", { body: wrapped({ attributes: { a: "b" } }) });
		expect(event.data).toBeNull();
		expect(event.attributes).not.toHaveProperty("datacontenttype");
	});
});

describe("a notification of Cloud Storage", () => {
	test.each([
		["OBJECT_FINALIZE", "finalized"],
		["OBJECT_DELETE", "deleted"],
		["OBJECT_ARCHIVE", "archived"],
		["OBJECT_METADATA_UPDATE", "metadataUpdated"],
	])("%s is %s", async (eventType, word) => {
		const body = wrapped({ attributes: { ...FINALIZED, eventType } }, "{}");
		expect((await parseOne("gcs-pubsub", { body })).attributes).toEqual({
			id: "2070443601311540",
			source: "//storage.googleapis.com/projects/_/buckets/scans",
			type: `google.cloud.storage.object.v1.${word}`,
			subject: "objects/inbox/red flower.jpg",
			time: "2021-02-26T19:13:54.123456Z",
			datacontenttype: "application/json",
		});
	});

	test.each([
		["of no kind that is known", { ...FINALIZED, eventType: "toString" }],
		["without a bucket", { ...FINALIZED, bucketId: undefined }],
	])("%s is a message", async (_what, attributes) => {
		const { type } = (await parseOne("gcs-pubsub", { body: wrapped({ attributes }, "{}") })).attributes;
		expect(type).toBe("google.cloud.pubsub.topic.v1.messagePublished");
	});
});

describe("a CloudEvent in attributes", () => {
	const attributes = {
		"ce-specversion": "1.0",
		"ce-id": "A234-1234",
		"ce-source": "/mycontext",
		"ce-type": "com.example.someevent",
		"ce-subject": "100% ü",
		"ce-comexampleothervalue": "5",
		"content-type": "application/json",
	};

	test("is that CloudEvent", async () => {
		expect(await parseOne("gcs-pubsub", { body: wrapped({ attributes }, "{}") })).toEqual({
			attributes: {
				id: "A234-1234",
				source: "/mycontext",
				type: "com.example.someevent",
				subject: "100% ü",
				comexampleothervalue: "5",
				datacontenttype: "application/json",
			},
			data: { kind: "json", text: "{}" },
		});
	});

	test("is an ordinary message if it is not valid", async () => {
		const body = wrapped({ attributes: { ...attributes, "ce-type": "" } }, "{}");
		expect((await parseOne("gcs-pubsub", { body })).attributes).toMatchObject({
			id: "2070443601311540",
			type: "google.cloud.pubsub.topic.v1.messagePublished",
		});
	});
});

test.each([
	["no message", "{}", "message.messageId"],
	["a message without an id", '{"message":{"data":""}}', "message.messageId"],
	["data that is no base64", '{"message":{"messageId":"1","data":"a b="}}', "message.data"],
	["data that is no text", '{"message":{"messageId":"1","data":7}}', "message.data"],
])("refused: %s", async (_what, body, path) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path };
	expect(await parseAs("gcs-pubsub", { body })).toMatchObject(refusal);
});

test("missing attributes of a message are filled in", async () => {
	const { attributes } = await parseOne("gcs-pubsub", { body: '{"message":{"messageId":"1"}}' });
	expect(attributes).toMatchObject({ source: "/sources/publisher-1", time: RECEIVED_AT });
});

test("a message that is pushed again creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("gcs-pubsub");
	const body = wrapped({}, "hello");
	for (const sent of [body, body.replace('"deliveryAttempt":5', '"deliveryAttempt":6')]) {
		expect((await post(source, queue, { body: sent })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

const codeFor = (auth: SourceAuth, url = "https://x.example/in/scans") => {
	const setup = setupAs("gcs-pubsub", {
		source: makeSource({ name: "scans", auth }),
		url,
		secret: "<SECRET>",
	});
	return (
		setup?.variants.flatMap(({ name, steps }) => [name, ...steps.map(({ code }) => code)]).join("\n") ?? ""
	);
};

describe("set-up", () => {
	test("with a token of Google", () => {
		const code = codeFor({ type: "google_oidc", audience: null, email: "p@app.iam.gserviceaccount.com" });
		expect(code).toContain("--push-endpoint='https://x.example/in/scans'");
		expect(code).toContain("--push-auth-service-account='p@app.iam.gserviceaccount.com'");
		expect(code).toContain("--push-auth-token-audience='https://x.example/in/scans'");
	});

	test("with the secret in the URL", () => {
		const code = codeFor({ type: "url_token" }, "https://x.example/in/scans?token=<SECRET>");
		expect(code).toContain("--push-endpoint='https://x.example/in/scans?token=<SECRET>'");
		expect(code).not.toContain("--push-auth");
	});

	test("a bucket may be silent for months without losing its subscription", () => {
		expect(codeFor({ type: "url_token" })).toContain("--expiration-period=never");
	});

	test("for a proof that Pub/Sub cannot send, the set-up changes the source", () => {
		expect(codeFor({ type: "bearer" })).toMatch(/^change-auth/);
	});
});

describeBadInput("gcs-pubsub", { isTimed: false });
