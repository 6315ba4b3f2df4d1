/** A model's answer as the next model's event. */
import { expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answerEvent, answerJson } from "./support/behaviours.ts";
import { setting } from "./support/setting.ts";
import { until } from "./support/until.ts";

const stage = setting();

test("an output becomes an event of the configured type and feeds the next model", async () => {
	const { api, receiver } = stage;
	const [scanned, read] = [unique("document.scanned"), unique("document.read")];
	const ocr = receiver.model(answerJson('{"text":"Ada Lovelace","page":9007199254740993}'));
	const entities = receiver.model(answerJson('{"people":["Ada Lovelace"]}'));
	const reader = await api.createEndpoint({ url: ocr.url });
	const tagger = await api.createEndpoint({ url: entities.url });
	await api.createSubscription({ endpoint: reader.id, types: [scanned], result: { type: read } });
	await api.createSubscription({ endpoint: tagger.id, types: [read] });

	const eventId = await api.publish({ type: scanned, subject: "scans/1.png", data: { page: 1 } });
	const first = await api.deliveryWhen({ event: eventId }, isFinished);
	const resultEventId = String(first.result_event_id);
	const second = await api.deliveryWhen({ event: resultEventId }, isFinished);

	expect(first).toMatchObject({ status: "succeeded", result: { text: "Ada Lovelace" } });
	expect(second).toMatchObject({ status: "succeeded", result: { people: ["Ada Lovelace"] } });
	const request = await entities.request();
	expect(request.text).toContain('"page":9007199254740993');
	expect(JSON.parse(request.text)).toMatchObject({
		type: read,
		source: `/endpoints/${reader.name}@1`,
		subject: "scans/1.png",
	});
	expect(await api.must("GET", `/v1/events/${resultEventId}`)).toMatchObject({
		id: resultEventId,
		type: read,
	});
	expect(entities.requests).toHaveLength(1);
});

test("an output that is a CloudEvent is the result event unchanged", async () => {
	const { api, receiver } = stage;
	const [scanned, judged] = [unique("document.scanned"), unique("document.judged")];
	const judge = receiver.model(
		answerEvent({ id: "v-1", source: "/judge", type: judged, data: { ok: true } }),
	);
	const app = receiver.model(answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: judge.url });
	const listener = await api.createEndpoint({ url: app.url });
	await api.createSubscription({ endpoint: endpoint.id, types: [scanned], result: {} });
	await api.createSubscription({ endpoint: listener.id, types: [judged] });

	await api.publish({ type: scanned, data: 1 });

	const request = await app.request();
	expect(JSON.parse(request.text)).toMatchObject({ type: judged, data: { ok: true } });
});

test("an output that would feed its own subscription stops as a dead letter", async () => {
	const { api, receiver } = stage;
	const type = unique("echo");
	const model = receiver.model(answerJson('{"again":true}'));
	const endpoint = await api.createEndpoint({ url: model.url });
	const subscription = await api.createSubscription({
		endpoint: endpoint.id,
		types: [type],
		result: { type },
	});

	const eventId = await api.publish({ type, data: 1 });
	const first = await api.deliveryWhen({ event: eventId }, isFinished);
	const stopped = await api.deliveryWhen({ event: String(first.result_event_id) }, isFinished);

	expect(stopped).toMatchObject({
		status: "dead",
		reason: "loop",
		subscription_id: subscription.id,
		attempts: [],
	});
	expect(model.requests).toHaveLength(1);
});

test("a cycle that is allowed ends after max_hops", async () => {
	const { api, receiver } = stage;
	const type = unique("refine");
	const model = receiver.model(answerJson('{"again":true}'));
	const endpoint = await api.createEndpoint({ url: model.url });
	await api.createSubscription({
		endpoint: endpoint.id,
		types: [type],
		result: { type, max_hops: 3, allow_cycles: true },
	});

	await api.publish({ type, data: 1 });

	const all = await until("the chain to stop", async () => {
		const deliveries = await api.deliveries({ endpoint: endpoint.id });
		return deliveries.some(({ status }) => status === "dead") ? deliveries : null;
	});
	// The publisher's event and three results, each the answer to the one before; the fourth goes nowhere.
	expect(all).toHaveLength(5);
	expect(all.filter(({ reason }) => reason === "loop")).toHaveLength(1);
	expect(model.requests).toHaveLength(4);
});
