/** The same event twice is one event and one delivery, however it comes twice. */
import { expect, test } from "vitest";
import type { Api } from "./support/api.ts";
import { isFinished, unique } from "./support/api.ts";
import { answerJson } from "./support/behaviours.ts";
import { setting } from "./support/setting.ts";

const stage = setting();

test("a CloudEvent with the same source and id", async () => {
	const { api } = stage;
	const source = await api.createSource({ kind: "cloudevents", auth: { type: "bearer" } });
	await expectOneOfTwo(async (type) => {
		const answer = await api.ingest(source.ingest_url, '{"n":1}', {
			authorization: `Bearer ${source.secret}`,
			"content-type": "application/json",
			"ce-specversion": "1.0",
			"ce-id": "order-42",
			"ce-source": "/shop",
			"ce-type": type,
		});
		expect(answer.status).toBe(202);
		return String(answer.body["id"]);
	});
});

test("a publish with the same Idempotency-Key", async () => {
	const { api } = stage;
	const key = unique("key");
	await expectOneOfTwo(async (type) => {
		const answer = await api.ask("POST", "/v1/events", { type, data: 1 }, { "idempotency-key": key });
		expect(answer.status).toBe(202);
		return String(answer.body["id"]);
	});
});

test("a row whose dedupe_key has been seen", async () => {
	const { api } = stage;
	const type = unique("row");
	const source = await api.createSource({
		auth: { type: "bearer" },
		event_type: type,
		dedupe_key: "body.row.id",
	});
	await expectOneOfTwo(async () => {
		const answer = await api.ingest(source.ingest_url, '{"row":{"id":7}}', {
			authorization: `Bearer ${source.secret}`,
			"content-type": "application/json",
		});
		expect(answer.status).toBe(202);
		return String(answer.body["id"]);
	}, type);
});

test("the same id from two sources is two events", async () => {
	const { api } = stage;
	const event = { "content-type": "application/cloudevents+json" };
	const body = JSON.stringify({ specversion: "1.0", id: "1", source: "/shop", type: "order", data: 1 });
	const ids = [];
	for (let count = 0; count < 2; count += 1) {
		const source = await api.createSource({ kind: "cloudevents", auth: { type: "none" } });
		ids.push((await api.ingest(source.ingest_url, body, event)).body["id"]);
	}
	expect(new Set(ids).size).toBe(2);
});

/** Sends twice, then a third event as a marker: when that has come through, the second would have, too. */
async function expectOneOfTwo(
	send: (type: string) => Promise<string>,
	type = unique("order"),
): Promise<void> {
	const { api, receiver } = stage;
	const model = receiver.model(answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url, max_concurrency: 1 });
	await api.createSubscription({ endpoint: endpoint.id, types: [`${type}*`] });

	const first = await send(type);
	await api.deliveryWhen({ event: first }, isFinished);
	expect(await send(type)).toBe(first);
	await passMarker(api, `${type}.marker`);

	expect(await api.eventsOfType(type)).toMatchObject([{ id: first }]);
	expect(await api.deliveries({ event: first })).toHaveLength(1);
	expect(model.requests.map(({ headers }) => headers["sluice-event-id"])).toEqual([
		first,
		expect.any(String),
	]);
}

async function passMarker(api: Api, type: string): Promise<void> {
	await api.deliveryWhen({ event: await api.publish({ type, data: null }) }, isFinished);
}
