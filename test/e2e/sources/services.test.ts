/** Services as their own packages sign: what they send is accepted, and their retries create nothing new. */
import { randomUUID } from "node:crypto";
import { Stripe } from "stripe";
import { Webhook } from "svix";
import { expect, test } from "vitest";
import { unique } from "../support/api.ts";
import { setting } from "../support/setting.ts";
import { until } from "../support/until.ts";

const stage = setting();
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The events that have come by a source, once there is one. */
function logged(source: string): Promise<{ type: string }[]> {
	return until(`an event of ${source}`, async () => {
		const { data } = await stage.api.must<{ data: { type: string }[] }>("GET", `/v1/events?source=${source}`);
		return data.length > 0 ? data : null;
	});
}

test("Stripe", async () => {
	const { webhooks } = new Stripe("sk_test_unused");
	const source = await stage.api.createSource({ kind: "stripe", secret: SECRET });
	const payload = JSON.stringify(
		{ id: `evt_${randomUUID()}`, type: "customer.created", created: 1 },
		null,
		2,
	);
	const post = (timestamp: number, secret = SECRET) =>
		stage.api.ingest(source.ingest_url, payload, {
			"content-type": "application/json",
			"stripe-signature": webhooks.generateTestHeaderString({ payload, secret, timestamp }),
		});
	const now = Math.floor(Date.now() / 1000);
	const first = await post(now);
	expect(first.status).toBe(202);
	expect((await post(now - 60)).body).toEqual(first.body);
	expect((await post(now - 3600)).status).toBe(401);
	expect((await post(now, "whsec_other")).status).toBe(401);
	expect(await logged(source.name)).toMatchObject([{ type: "com.stripe.customer.created" }]);
});

test("Svix", async () => {
	const source = await stage.api.createSource({ kind: "standard-webhooks", secret: SECRET });
	const payload = '{"type": "invoice.paid"}';
	const id = unique("msg");
	const post = (at: Date) =>
		stage.api.ingest(source.ingest_url, payload, {
			"content-type": "application/json",
			"svix-id": id,
			"svix-timestamp": String(Math.floor(at.getTime() / 1000)),
			"svix-signature": new Webhook(SECRET).sign(id, at, payload),
		});
	const first = await post(new Date());
	expect(first.status).toBe(202);
	expect((await post(new Date(Date.now() - 60_000))).body).toEqual(first.body);
	expect((await post(new Date(Date.now() - 3_600_000))).status).toBe(401);
	expect(await logged(source.name)).toMatchObject([{ type: "invoice.paid" }]);
});
