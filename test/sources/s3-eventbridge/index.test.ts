import { describe, expect, test } from "vitest";
import type { SourceAuth } from "../../../src/store/records.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { RECEIVED_AT, parseAs, parseOne } from "../parse.ts";
import { setupAs } from "../bind.ts";

/** The example of the S3 user guide, "EventBridge event message structure". */
const CREATED = `{
  "version": "0",
  "id": "17793124-05d4-b198-2fde-7ededc63b103",
  "detail-type": "Object Created",
  "source": "aws.s3",
  "account": "111122223333",
  "time": "2021-11-12T00:00:00Z",
  "region": "ca-central-1",
  "resources": [ "arn:aws:s3:::amzn-s3-demo-bucket1" ],
  "detail": {
    "version": "0",
    "bucket": { "name": "amzn-s3-demo-bucket1" },
    "object": {
      "key": "example key+1.jpg",
      "size": 5,
      "etag": "b1946ac92492d2347c6235b4d2611184",
      "version-id": "IYV3p45BT0ac8hjHg1houSdS1a.Mro8e",
      "sequencer": "617f08299329d189"
    },
    "request-id": "N4N7GDK58NMKJ12R",
    "requester": "123456789012",
    "source-ip-address": "1.2.3.4",
    "reason": "PutObject"
  }
}`;

test("an object that was created, with the text of the event as it came", async () => {
	expect(await parseAs("s3-eventbridge", { body: CREATED })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "17793124-05d4-b198-2fde-7ededc63b103",
					source: "aws:s3.ca-central-1.amzn-s3-demo-bucket1",
					type: "com.amazonaws.s3.ObjectCreated:PutObject",
					subject: "example key+1.jpg",
					time: "2021-11-12T00:00:00Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: CREATED },
			},
		],
		batch: false,
	});
});

test.each([
	["Object Deleted", "DeleteObject", "com.amazonaws.s3.ObjectDeleted:DeleteObject"],
	["Object Deleted", "Lifecycle Expiration", "com.amazonaws.s3.ObjectDeleted:LifecycleExpiration"],
	["Object Restore Completed", undefined, "com.amazonaws.s3.ObjectRestoreCompleted"],
])("%s for %s", async (action, reason, type) => {
	const body = CREATED.replace("Object Created", action).replace(
		'"reason": "PutObject"',
		reason === undefined ? '"x": 1' : `"reason": "${reason}"`,
	);
	expect((await parseOne("s3-eventbridge", { body })).attributes.type).toBe(type);
});

test("a key that is not a valid attribute, or an invalid time, costs the event nothing else", async () => {
	const body = CREATED.replace("example key+1.jpg", String.raw`a\u0000b`).replace(
		"2021-11-12T00:00:00Z",
		"now",
	);
	const { attributes } = await parseOne("s3-eventbridge", { body });
	expect(attributes).not.toHaveProperty("subject");
	expect(attributes.time).toBe(RECEIVED_AT);
});

test.each([
	["another service", CREATED.replace("aws.s3", "aws.ec2"), "source"],
	["no id", CREATED.replace('"id"', '"ID"'), "id"],
	["no type", CREATED.replace('"detail-type"', '"detailType"'), "detail-type"],
	["no bucket", CREATED.replace('"bucket"', '"Bucket"'), "detail.bucket.name"],
])("refused: %s", async (_what, body, path) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path };
	expect(await parseAs("s3-eventbridge", { body })).toMatchObject(refusal);
});

test("EventBridge's retry creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("s3-eventbridge");
	for (let attempt = 1; attempt <= 2; attempt++) {
		expect((await post(source, queue, { body: CREATED })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

const variantFor = (auth: SourceAuth) =>
	setupAs("s3-eventbridge", {
		source: makeSource({ name: "scans.v1", auth }),
		url: "https://x.example/in/scans.v1",
		secret: "<SECRET>",
	}).variants[0];

describe("set-up", () => {
	test.each<[SourceAuth, string, object]>([
		[
			{ type: "header", name: "x-api-key" },
			"API_KEY",
			{ ApiKeyAuthParameters: { ApiKeyName: "x-api-key", ApiKeyValue: "<SECRET>" } },
		],
		[
			{ type: "bearer" },
			"API_KEY",
			{ ApiKeyAuthParameters: { ApiKeyName: "Authorization", ApiKeyValue: "Bearer <SECRET>" } },
		],
		[
			{ type: "basic", username: "s3" },
			"BASIC",
			{ BasicAuthParameters: { Username: "s3", Password: "<SECRET>" } },
		],
	])("the connection proves it: %j", (auth, type, parameters) => {
		const code =
			variantFor(auth)
				?.steps.map(({ code }) => code)
				.join("\n") ?? "";
		expect(code).toContain(`--authorization-type ${type}`);
		expect(code).toContain(`--auth-parameters '${JSON.stringify(parameters)}'`);
		expect(code).toContain('"InvocationEndpoint":"https://x.example/in/scans.v1"');
	});

	test("everything has one name, which AWS takes, and is taken away by it", () => {
		const variant = variantFor({ type: "header", name: "x-api-key" });
		expect(variant?.steps[2]?.code).toContain("--rule sluice-scans.v1");
		for (const thing of ["rule", "api-destination", "connection"]) {
			expect(variant?.remove?.code).toContain(`delete-${thing} --name sluice-scans.v1`);
		}
	});

	test("for a proof that EventBridge cannot send, the set-up changes the source", () => {
		expect(variantFor({ type: "standard_webhooks" })?.name).toBe("change-auth");
	});
});

describeBadInput("s3-eventbridge", { isTimed: false });
