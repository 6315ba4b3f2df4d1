import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { receive } from "../../../src/ingest/receive.ts";
import type { SourceAuth } from "../../../src/store/records.ts";
import { cacheSource } from "../../../src/store/views/source-cache.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { RECEIVED_AT, parseAs, parseOne } from "../parse.ts";
import { setupAs } from "../bind.ts";

const ACCOUNT =
	"/subscriptions/5b4b650e/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/my-storage-account";

/** The example of Azure's page on Blob Storage as an Event Grid source, shorter. */
const DATA = `{ "api": "PutBlockList", "eTag": "0x8D4BCC2E4835CD0", "contentLength": 9007199254740993, "sequencer": "0000" }`;
const CREATED = `{
  "topic": "${ACCOUNT}",
  "subject": "/blobServices/default/containers/test-container/blobs/new file.txt",
  "eventType": "Microsoft.Storage.BlobCreated",
  "eventTime": "2017-06-26T18:41:00.9584103Z",
  "id": "831e1650-001e-001b-66ab-eeb76e069631",
  "data": ${DATA},
  "dataVersion": "",
  "metadataVersion": "1"
}`;

/** The same in the schema of CloudEvents, from the same page. */
const CLOUD_EVENT = {
	source: ACCOUNT,
	subject: "/blobServices/default/containers/test-container/blobs/new file.txt",
	type: "Microsoft.Storage.BlobCreated",
	time: "2017-06-26T18:41:00.9584103Z",
	id: "831e1650-001e-001b-66ab-eeb76e069631",
	data: { api: "PutBlockList", eTag: "0x8D4BCC2E4835CD0" },
	specversion: "1.0",
};

const VALIDATION = `[{
  "id": "2d1781af-3a4c-4d7c-bd0c-e34b19da4e66",
  "topic": "/subscriptions/xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
  "subject": "",
  "data": { "validationCode": "512d38b6-c7b8-40c8-89fe-f46f9e9622b6",
    "validationUrl": "https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/estest/validate?id=512d38b6" },
  "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
  "eventTime": "2018-01-25T22:12:19.4556811Z",
  "metadataVersion": "1",
  "dataVersion": "1"
}]`;

describe("Event Grid's own schema", () => {
	test("events, each with the text of its data as it came", async () => {
		const second = CREATED.replace("831e1650", "931e1650").replace(DATA, "[1.0]");
		expect(await parseAs("azure-eventgrid", { body: `[${CREATED}, ${second}]` })).toEqual({
			ok: true,
			events: [
				{
					attributes: {
						id: "831e1650-001e-001b-66ab-eeb76e069631",
						source: ACCOUNT,
						type: "Microsoft.Storage.BlobCreated",
						subject: "/blobServices/default/containers/test-container/blobs/new file.txt",
						time: "2017-06-26T18:41:00.9584103Z",
						datacontenttype: "application/json",
					},
					data: { kind: "json", text: DATA },
				},
				{
					attributes: expect.objectContaining({ id: "931e1650-001e-001b-66ab-eeb76e069631" }),
					data: { kind: "json", text: "[1.0]" },
				},
			],
			batch: true,
		});
	});

	test("missing attributes of an event are filled in", async () => {
		const { attributes, data } = await parseOne("azure-eventgrid", { body: '[{"id":"1","eventType":"t"}]' });
		expect(attributes).toMatchObject({ source: "/sources/publisher-1", time: RECEIVED_AT });
		expect(attributes).not.toHaveProperty("subject");
		expect(data).toBeNull();
	});

	test.each([
		["no id", `[${CREATED}, {"eventType":"t"}]`, "[1].id"],
		["no type", '{"id":"1"}', "eventType"],
		["an id that is no text", '[{"id":{},"eventType":"t"}]', "[0].id"],
		["a validation without a code", VALIDATION.replace("validationCode", "code"), "[0].data.validationCode"],
	])("refused: %s", async (_what, body, path) => {
		const refusal = { ok: false, status: 400, code: "invalid_payload", path };
		expect(await parseAs("azure-eventgrid", { body })).toMatchObject(refusal);
	});
});

describe("CloudEvents", () => {
	test.each([
		["one", "application/cloudevents+json; charset=utf-8", JSON.stringify(CLOUD_EVENT), false],
		["a batch", "application/cloudevents-batch+json; charset=utf-8", JSON.stringify([CLOUD_EVENT]), true],
	])("%s", async (_what, contentType, body, batch) => {
		const { specversion: _, data, ...attributes } = CLOUD_EVENT;
		const headers = { "content-type": contentType };
		expect(await parseAs("azure-eventgrid", { headers, body })).toEqual({
			ok: true,
			events: [{ attributes, data: { kind: "json", text: JSON.stringify(data) } }],
			batch,
		});
	});

	test("an invalid one is refused", async () => {
		const headers = { "content-type": "application/cloudevents+json" };
		const refusal = { ok: false, status: 400, code: "invalid_cloudevent" };
		expect(await parseAs("azure-eventgrid", { headers, body: CREATED })).toMatchObject(refusal);
	});
});

describe("the handshake of Event Grid's own schema", () => {
	const headers = { "aeg-event-type": "SubscriptionValidation" };

	test("the code is sent back, and nothing stored", async () => {
		const queue = captureQueue();
		const response = await post(sourceOf("azure-eventgrid"), queue, { body: VALIDATION, headers });
		expect(response.status).toBe(200);
		expect(await response.json()).toEqual({ validationResponse: "512d38b6-c7b8-40c8-89fe-f46f9e9622b6" });
		expect(queue.messages).toEqual([]);
	});

	test("not to strangers", async () => {
		const sent = { body: VALIDATION, headers, unproven: true };
		const response = await post(sourceOf("azure-eventgrid"), captureQueue(), sent);
		expect(response.status).toBe(401);
		expect(await response.text()).not.toContain("512d38b6");
	});
});

async function ask(origin: string): Promise<Response> {
	const queue = captureQueue();
	const source = sourceOf("azure-eventgrid");
	await cacheSource(queue.env, source);
	const request = new Request(`https://sluice.example/in/${source.name}?token=x`, {
		method: "OPTIONS",
		headers: { "webhook-request-origin": origin, "webhook-request-rate": "120" },
	});
	const ctx = createExecutionContext();
	const response = await receive(request, queue.env, ctx, source.name);
	await waitOnExecutionContext(ctx);
	return response;
}

describe("the handshake of CloudEvents", () => {
	test("Event Grid may send", async () => {
		const response = await ask("eventgrid.azure.net");
		expect(response.status).toBe(200);
		expect(response.headers.get("webhook-allowed-origin")).toBe("eventgrid.azure.net");
		expect(response.headers.get("webhook-allowed-rate")).toBe("*");
	});

	test("others may not", async () => {
		const response = await ask("eventgrid.azure.net.example.com");
		expect(response.status).toBe(405);
		expect(response.headers.has("webhook-allowed-origin")).toBe(false);
	});
});

test("an event that is delivered again creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("azure-eventgrid");
	for (const body of [`[${CREATED}]`, `[ ${CREATED} ]`]) {
		expect((await post(source, queue, { body })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

const codeFor = (auth: SourceAuth) => {
	const url = "https://x.example/in/blobs?token=<SECRET>";
	const source = makeSource({ name: "blobs", auth });
	const [variant] = setupAs("azure-eventgrid", { source, url, secret: "<SECRET>" }).variants ?? [];
	return `${variant?.name}\n${variant?.steps[0]?.code}`;
};

describe("set-up", () => {
	test("with the secret in the URL", () => {
		expect(codeFor({ type: "url_token" })).toContain(
			"--endpoint 'https://x.example/in/blobs?token=<SECRET>'",
		);
		expect(codeFor({ type: "url_token" })).not.toContain("--delivery-attribute-mapping");
	});

	test.each<[SourceAuth, string]>([
		[{ type: "header", name: "x-token" }, "--delivery-attribute-mapping x-token static '<SECRET>' true"],
		[{ type: "bearer" }, "--delivery-attribute-mapping Authorization static 'Bearer <SECRET>' true"],
	])("in a header: %j", (auth, expected) => {
		expect(codeFor(auth)).toContain(expected);
	});

	test("for a proof that Event Grid cannot send, the set-up changes the source", () => {
		expect(codeFor({ type: "standard_webhooks" })).toMatch(/^change-auth/);
	});
});

describeBadInput("azure-eventgrid", { isTimed: false });
