import { describe, expect, test } from "vitest";
import { captureQueue } from "../capture.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { parseAs, parseOne, RECEIVED_AT } from "../parse.ts";

/** The example of Stripe's API reference, "The Event object". */
const SNAPSHOT = `{
  "id": "evt_1NG8Du2eZvKYlo2CUI79vXWy",
  "object": "event",
  "api_version": "2019-02-19",
  "created": 1686089970,
  "data": {
    "object": {
      "id": "seti_1NG8Du2eZvKYlo2C9XMqbR0x",
      "object": "setup_intent",
      "application": null,
      "created": 1686089970,
      "metadata": {},
      "usage": "off_session"
    }
  },
  "livemode": false,
  "pending_webhooks": 0,
  "request": { "id": null, "idempotency_key": null },
  "type": "setup_intent.created"
}`;

test("a snapshot event, with its text as it came", async () => {
	expect(await parseAs("stripe", { body: SNAPSHOT })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "evt_1NG8Du2eZvKYlo2CUI79vXWy",
					source: "/stripe/publisher-1",
					type: "com.stripe.setup_intent.created",
					subject: "seti_1NG8Du2eZvKYlo2C9XMqbR0x",
					time: "2023-06-06T22:19:30.000Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: SNAPSHOT },
			},
		],
		batch: false,
	});
});

test("an event of a connected account has the account as its source", async () => {
	const body = SNAPSHOT.replace('"object": "event"', '"object": "event", "account": "acct_1032D82eZvKYlo2C"');
	expect((await parseOne("stripe", { body })).attributes.source).toBe("/stripe/acct_1032D82eZvKYlo2C");
});

test("a thin event of API v2", async () => {
	const body = JSON.stringify({
		id: "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0",
		object: "v2.core.event",
		type: "v1.billing.meter.error_report_triggered",
		livemode: false,
		created: "2024-09-17T06:20:52.246Z",
		context: "acct_1",
		related_object: { id: "mtr_test_61R9IeP0SgKbYROx", type: "billing.meter", url: "/v1/billing/meters/mtr" },
	});
	expect((await parseOne("stripe", { body })).attributes).toMatchObject({
		source: "/stripe/acct_1",
		type: "com.stripe.v1.billing.meter.error_report_triggered",
		subject: "mtr_test_61R9IeP0SgKbYROx",
		time: "2024-09-17T06:20:52.246Z",
	});
});

describe("optional members of an event", () => {
	test.each([
		["id", { type: "a.b" }],
		["id", { id: "", type: "a.b" }],
		["id", { id: null, type: "a.b" }],
		["type", { id: "evt_1" }],
		["type", { id: "evt_1", type: {} }],
		["type", { id: "evt_1", type: "a\nb" }],
	])("not its %s: %j", async (path, event) => {
		const refusal = { ok: false, status: 400, code: "invalid_payload", path };
		expect(await parseAs("stripe", { body: JSON.stringify(event) })).toMatchObject(refusal);
	});

	test("its object and its time", async () => {
		for (const created of [undefined, null, -1, 1e300, "soon", {}]) {
			const body = JSON.stringify({ id: "evt_1", type: "balance.available", created, data: null });
			const { attributes } = await parseOne("stripe", { body });
			expect(attributes.time).toBe(RECEIVED_AT);
			expect(attributes).not.toHaveProperty("subject");
		}
	});
});

test("a retry by Stripe, signed again, creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("stripe", "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH");
	expect((await post(source, queue, { body: SNAPSHOT })).status).toBe(202);
	expect((await post(source, queue, { body: SNAPSHOT, age: 60_000 })).status).toBe(202);
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

describeBadInput("stripe", { isTimed: true });
