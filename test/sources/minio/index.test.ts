import { describe, expect, test } from "vitest";
import { MAX_BATCH_EVENTS } from "../../../src/events/event.ts";
import { setupAs } from "../bind.ts";
import { captureQueue } from "../capture.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { makeSource } from "../make-source.ts";
import { parseAs, parseOne } from "../parse.ts";
import { CAPTURED, HEADERS } from "./captured.ts";

const HOST_ID = "61a86ae820ac193551c2d74c978740be0c56a32813ea08a37e5b40352acd22b6";

const recordOf = (body: string) => body.slice(body.indexOf("[") + 1, body.lastIndexOf("]"));

test("a notification becomes its record, as MinIO wrote it", async () => {
	expect(await parseAs("minio", { headers: HEADERS, body: CAPTURED.put })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: `18EB5402CFE341E3.${HOST_ID}.plain.txt.18EB5402D00F7290`,
					source: "aws:s3.scans",
					type: "com.amazonaws.s3.ObjectCreated:Put",
					subject: "plain.txt",
					time: "2026-11-25T15:40:47.507Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: recordOf(CAPTURED.put) },
			},
		],
		batch: false,
	});
});

test.each([
	["oddKey", "ObjectCreated:Put", "2026/a b+c é😀%.txt"],
	["putAgain", "ObjectCreated:Put", "plain.txt"],
	["copy", "ObjectCreated:Copy", "copy.txt"],
	["multipart", "ObjectCreated:CompleteMultipartUpload", "big.bin"],
	["deleted", "ObjectRemoved:DeleteMarkerCreated", "plain.txt"],
] as const)("what %s is called", async (name, action, subject) => {
	const { attributes } = await parseOne("minio", { headers: HEADERS, body: CAPTURED[name] });
	expect(attributes).toMatchObject({ type: `com.amazonaws.s3.${action}`, subject, source: "aws:s3.scans" });
});

test("the objects of a batch delete share a request id, and are different events", async () => {
	const ids = await Promise.all(
		Object.values(CAPTURED).map(async (body) => (await parseOne("minio", { body })).attributes.id),
	);
	expect(new Set(ids).size).toBe(ids.length);
	expect(ids[5]?.split(".")[0]).toBe(ids[6]?.split(".")[0]);
});

test("versions of one object that are deleted at once are different events, also without a sequencer", async () => {
	const ids = await Promise.all(
		["v1", "v2"].map(async (version) => {
			const body = CAPTURED.deleted.replace(/"versionId".*?\}/, `"versionId":"${version}"}`);
			return (await parseOne("minio", { body })).attributes.id;
		}),
	);
	expect(ids).toEqual(["v1", "v2"].map((version) => `18EB5402D84B3DE6.${HOST_ID}.plain.txt.${version}`));
});

test("a request that is sent again creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("minio");
	for (const body of [CAPTURED.put, CAPTURED.put, CAPTURED.putAgain]) {
		expect((await post(source, queue, { headers: HEADERS, body })).status).toBe(202);
	}
	const [first, again, another] = await queue.events();
	expect(again?.id).toBe(first?.id);
	expect(another?.id).not.toBe(first?.id);
});

describe("other stores with the same format", () => {
	test("a server that has a region", async () => {
		const body = CAPTURED.put.replace('"awsRegion":""', '"awsRegion":"eu-west-1"');
		expect((await parseOne("minio", { body })).attributes.source).toBe("aws:s3.eu-west-1.scans");
	});

	test("a store with the records alone and no prefix before what was done", async () => {
		const record = recordOf(CAPTURED.put).replace("s3:ObjectCreated", "ObjectCreated");
		const { attributes } = await parseOne("minio", { body: `{"Records":[${record}]}` });
		expect(attributes.type).toBe("com.amazonaws.s3.ObjectCreated:Put");
	});

	test("several notifications at once", async () => {
		const parsed = await parseAs("minio", { body: `[${CAPTURED.put} , ${CAPTURED.deleted}]` });
		if (!parsed.ok) throw new Error(parsed.message);
		expect(parsed.batch).toBe(true);
		expect(parsed.events.map(({ data }) => data)).toEqual(
			[CAPTURED.put, CAPTURED.deleted].map((body) => ({ kind: "json", text: recordOf(body) })),
		);
	});

	test("a test message is no news", async () => {
		const body =
			'{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02Z","Bucket":"scans"}';
		expect(await parseAs("minio", { body })).toMatchObject({ ok: true, events: [], reply: { status: 200 } });
	});
});

test.each([
	["no records", '{"EventName":"s3:ObjectCreated:Put","Key":"scans/a"}', 400, "invalid_payload", "Records"],
	["no bucket", CAPTURED.put.replace('"name":"scans"', '"name":""'), 400, "invalid_payload", "Records"],
	["one bad of two", `[${CAPTURED.put},{}]`, 400, "invalid_payload", "[1].Records"],
	[
		"too many in several",
		`[${Array(2)
			.fill(
				`{"Records":[${Array(MAX_BATCH_EVENTS).fill('{"eventName":"a","s3":{"bucket":{"name":"b"},"object":{"key":"k"}}}').join()}]}`,
			)
			.join()}]`,
		413,
		"too_many_events",
		undefined,
	],
])("refused: %s", async (_what, body, status, code, path) => {
	expect(await parseAs("minio", { body })).toMatchObject({
		ok: false,
		status,
		code,
		...(path !== undefined && { path }),
	});
});

const setupOf = (changes: Parameters<typeof makeSource>[0] = { auth: { type: "bearer" } }) =>
	setupAs("minio", {
		source: makeSource({ name: "Scans.eu", kind: "minio", ...changes }),
		url: "https://x.example/in/Scans.eu",
		secret: "<SECRET>",
	});

const codeOf = ({ steps }: { steps: { code: string }[] }) => steps.map(({ code }) => code).join("\n");

describe("set-up", () => {
	test("has a queue on disk, the token and the bucket's events, for both places of the settings", () => {
		const [environment, mc] = setupOf().variants;
		if (environment === undefined || mc === undefined) throw new Error("variants are missing");
		expect(codeOf(environment).split("\n")).toEqual(
			expect.arrayContaining([
				'MINIO_NOTIFY_WEBHOOK_ENABLE_SLUICE_SCANS_EU="on"',
				'MINIO_NOTIFY_WEBHOOK_ENDPOINT_SLUICE_SCANS_EU="https://x.example/in/Scans.eu"',
				'MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_SLUICE_SCANS_EU="<SECRET>"',
				'MINIO_NOTIFY_WEBHOOK_QUEUE_DIR_SLUICE_SCANS_EU="/var/lib/minio-events/Scans.eu"',
				"mkdir -p '/var/lib/minio-events/Scans.eu'",
			]),
		);
		expect(codeOf(mc)).toContain('mc admin config set "$ALIAS" notify_webhook:SLUICE_SCANS_EU');
		expect(codeOf(mc)).toContain('queue_dir="/var/lib/minio-events/Scans.eu"');
		for (const variant of [environment, mc]) {
			const arn = "arn:minio:sqs::SLUICE_SCANS_EU:webhook";
			const event = `"$ALIAS/$BUCKET" ${arn} --event put,delete`;
			// Without the flag, the second run fails.
			expect(codeOf(variant)).toContain(`mc event add ${event} --ignore-existing`);
			expect(variant.remove?.code).toContain(`mc event remove ${event}`);
		}
		expect(mc.remove?.code).toContain('mc admin config reset "$ALIAS" notify_webhook:SLUICE_SCANS_EU');
	});

	test("a token in the URL takes the place of the other", () => {
		const setup = setupOf({ auth: { type: "url_token" } });
		expect(setup.variants).toHaveLength(2);
		for (const variant of setup.variants) expect(codeOf(variant)).not.toMatch(/auth_token/i);
	});

	test("for a proof that MinIO cannot send, the set-up changes the source", () => {
		const auth = { type: "header", name: "x-token" } as const;
		expect(setupOf({ auth }).variants.map(({ name }) => name)).toEqual(["change-auth"]);
	});
});

describeBadInput("minio", { isTimed: false });
