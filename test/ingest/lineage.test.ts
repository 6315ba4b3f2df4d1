/** Events that come of deliveries and are posted to `/in` or `/v1/events` with the header that they were sent. */
import { env } from "cloudflare:workers";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { lineageHeader } from "../../src/events/lineage-header.ts";
import { forgetSource } from "../../src/ingest/source-lookup.ts";
import { receive } from "../../src/ingest/receive.ts";
import { cacheSource } from "../../src/store/views/source-cache.ts";
import { insertSource } from "../../src/store/resources/sources.ts";
import { captureQueue } from "../sources/capture.ts";
import { makeSource } from "../sources/make-source.ts";

const lineage = {
	hops: 1,
	chain: ["sub_a"],
	budget: 42,
	correlationId: "evt_root",
	causationId: "evt_root",
};
const continued = {
	sluicehops: 1,
	sluicechain: "sub_a",
	sluicebudget: 42,
	correlationid: "evt_root",
	causationid: "evt_root",
};
const SECRET = "top-secret-value";

async function post(header: string | null, secret = SECRET) {
	const queue = captureQueue();
	const source = makeSource({
		auth: { type: "bearer" },
		secrets: [{ value: SECRET, createdAt: 0, expiresAt: null }],
	});
	await insertSource(queue.env, source);
	await cacheSource(queue.env, source);
	forgetSource(source);
	const ctx = createExecutionContext();
	const request = new Request(`https://sluice.example/in/${source.name}`, {
		method: "POST",
		body: '{"a":1}',
		headers: {
			"content-type": "application/json",
			"idempotency-key": "k-1",
			authorization: `Bearer ${secret}`,
			...(header !== null && { "sluice-lineage": header }),
		},
	});
	const response = await receive(request, queue.env, ctx, source.name);
	await waitOnExecutionContext(ctx);
	return { status: response.status, events: await queue.events(), source };
}

function header(
	more: Partial<typeof lineage> = {},
	at = Date.now(),
	keys: Parameters<typeof lineageHeader>[0] = env,
) {
	return lineageHeader(keys, { ...lineage, ...more }, at);
}

describe("/in", () => {
	test("continues the lineage of a valid header; the id stays what it was without one", async () => {
		const { status, events, source } = await post(header());
		expect(status).toBe(202);
		expect(events).toMatchObject([{ attributes: { id: "k-1", ...continued } }]);
		const again = captureQueue();
		const request = new Request(`https://sluice.example/in/${source.name}`, {
			method: "POST",
			body: '{"a":1}',
			headers: {
				"content-type": "application/json",
				"idempotency-key": "k-1",
				authorization: `Bearer ${SECRET}`,
			},
		});
		await receive(request, again.env, createExecutionContext(), source.name);
		expect((await again.events()).map(({ id }) => id)).toEqual(events.map(({ id }) => id));
	});

	test.each([
		["none", null],
		["a broken one", "v1.x.y"],
		["one of yesterday", header({}, Date.now() - 90_000_000)],
		["one of another router", header({}, Date.now(), { ADMIN_TOKEN: "another" })],
	])("takes the event as a new one, and refuses nothing, with %s", async (_what, value) => {
		const { status, events } = await post(value);
		expect(status).toBe(202);
		for (const name of Object.keys(continued)) expect(events[0]?.attributes).not.toHaveProperty(name);
	});

	test("a header proves nothing about who is posting", async () => {
		expect(await post(header(), "wrong")).toMatchObject({ status: 401, events: [] });
	});
});
