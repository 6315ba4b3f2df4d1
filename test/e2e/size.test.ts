/** Small, larger than a queue message, and too large. */
import { expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answer } from "./support/behaviours.ts";
import { setting } from "./support/setting.ts";

/** 1 MB, the largest event. */
const LIMIT = 1_048_576;

const stage = setting();

test.each([
	["just under a queue message", 120_000],
	["just over a queue message", 130_000],
	["in the middle", 500_000],
	["a megabyte", LIMIT],
])("a body of %s (%i bytes) arrives byte for byte", async (_, bytes) => {
	const { api, receiver } = stage;
	const model = receiver.model(answer(204));
	const { source, endpoint } = await openSource(model.url);
	const body = jsonOfSize(bytes);

	const accepted = await api.ingest(source.ingest_url, body, { "content-type": "application/json" });

	expect(accepted.status).toBe(202);
	const delivery = await api.deliveryWhen({ endpoint: endpoint.id }, isFinished);
	expect(delivery).toMatchObject({ status: "succeeded", event_id: accepted.body["id"] });
	const request = await model.request();
	expect(request.body.equals(Buffer.from(body))).toBe(true);
});

test("a body above 1 MB is refused and stores nothing", async () => {
	const { api, receiver } = stage;
	const { source, type } = await openSource(receiver.model(answer(204)).url);

	const refused = await api.ingest(source.ingest_url, jsonOfSize(LIMIT + 1), {
		"content-type": "application/json",
	});

	expect(refused).toMatchObject({ status: 413, body: { code: expect.any(String) } });
	expect(refused.headers.get("content-type")).toMatch(/^application\/problem\+json/);
	expect(await api.eventsOfType(type)).toEqual([]);
});

test("10 MB without a declared length get the same response", async () => {
	const { source } = await openSource(stage.receiver.model(answer(204)).url);
	// Several, because a connection that is cut off does not always take the answer with it.
	for (let times = 0; times < 5; times++) {
		const body = new Blob([Buffer.alloc(10_000_000, " ")]).stream();
		const headers = { "content-type": "application/json" };
		const refused = await fetch(source.ingest_url, { method: "POST", headers, body, duplex: "half" });
		expect(refused.status).toBe(413);
		expect(await refused.json()).toMatchObject({ code: "body_too_large" });
	}
});

async function openSource(url: string) {
	const { api } = stage;
	const type = unique("blob");
	const source = await api.createSource({ auth: { type: "none" }, event_type: type });
	const endpoint = await api.createEndpoint({ url, protocol: "cloudevents" });
	await api.createSubscription({ endpoint: endpoint.id, source: source.id });
	return { source, endpoint, type };
}

/** Valid JSON of exactly `bytes` bytes, with two-byte characters in it. */
function jsonOfSize(bytes: number): string {
	const head = '{"unit":"µé","filler":"';
	return `${head}${"x".repeat(bytes - Buffer.byteLength(head) - 2)}"}`;
}
