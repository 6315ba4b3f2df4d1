/** What a model receives, and what the router remembers of it. */
import { describe, expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answer, answerJson } from "./support/behaviours.ts";
import { verifySignature } from "./support/receiver.ts";
import { setting } from "./support/setting.ts";

/** JSON that does not survive a parse and a stringify: 64-bit integers, spellings, white space, order of keys. */
const DELICATE_JSON =
	'{ "id": 9007199254740993, "max":-9223372036854775808, "one":1.0, "exp": 1E+2, "minus":-0,\n' +
	'\t"10":"ten", "9":"nine", "z":1, "a":2, "text":"\\u00e9 é \\/ 😀", "deep":{"b":[0.10, 1e-7], "a":null} }';

const stage = setting();

describe("an event with one subscriber", () => {
	test("reaches the model as one signed request, and is read back with its attempt and result", async () => {
		const { api, receiver } = stage;
		const type = unique("scan.created");
		const model = receiver.model(answerJson('{"text":"hello"}'));
		const endpoint = await api.createEndpoint({ url: model.url });
		const subscription = await api.createSubscription({ endpoint: endpoint.id, types: [type] });

		const eventId = await api.publish({ type, subject: "scans/1.png", data: { page: 1 } });
		const delivery = await api.deliveryWhen({ event: eventId }, isFinished);

		expect(model.requests).toHaveLength(1);
		const request = await model.request();
		verifySignature(request, endpoint.signing_secret);
		expect(request.method).toBe("POST");
		expect(request.headers).toMatchObject({
			"webhook-id": delivery.id,
			"sluice-event-id": eventId,
			"sluice-attempt": "1",
			"content-type": expect.stringMatching(/^application\/cloudevents\+json/),
		});
		expect(JSON.parse(request.text)).toMatchObject({
			specversion: "1.0",
			type,
			subject: "scans/1.png",
			data: { page: 1 },
		});
		expect(delivery).toMatchObject({
			event_id: eventId,
			subscription_id: subscription.id,
			subscription: subscription.name,
			endpoint_id: endpoint.id,
			endpoint: `${endpoint.name}@1`,
			status: "succeeded",
			reason: null,
			attempt_count: 1,
			next_attempt_at: null,
			finished_at: expect.any(String),
			attempts: [{ number: 1, status_code: 200, outcome: "done", error: null }],
			result: { text: "hello" },
		});
	});

	test("is listed and read with its data and the decision that made the delivery", async () => {
		const { api, receiver } = stage;
		const type = unique("scan.created");
		const endpoint = await api.createEndpoint({ url: receiver.model(answer(204)).url });
		const subscription = await api.createSubscription({ endpoint: endpoint.id, types: [type] });

		const eventId = await api.publish({ type, data: { page: 1 } });
		const delivery = await api.deliveryWhen({ event: eventId }, isFinished);

		expect(await api.eventsOfType(type)).toMatchObject([{ id: eventId, type }]);
		expect(await api.must("GET", `/v1/events/${eventId}`)).toMatchObject({
			id: eventId,
			type,
			data: { page: 1 },
			matched: [{ subscription_id: subscription.id, endpoint_id: endpoint.id, delivery_id: delivery.id }],
		});
	});

	test("that no subscription wants is kept, and sent nowhere", async () => {
		const { api, receiver } = stage;
		const type = unique("scan.created");
		const model = receiver.model(answer(204));
		const endpoint = await api.createEndpoint({ url: model.url });
		await api.createSubscription({ endpoint: endpoint.id, types: [type] });

		const unwanted = await api.publish({ type: `${type}.other`, data: 1 });
		const wanted = await api.publish({ type, data: 2 });
		await api.deliveryWhen({ event: wanted }, isFinished);

		expect(await api.must("GET", `/v1/events/${unwanted}`)).toMatchObject({ id: unwanted, matched: [] });
		expect(model.requests).toHaveLength(1);
	});
});

describe("data arrives as it came", () => {
	test("in binary mode the body is the publisher's, byte for byte", async () => {
		const { api, receiver } = stage;
		const type = unique("row.inserted");
		const model = receiver.model(answer(204));
		const source = await api.createSource({ auth: { type: "bearer" }, event_type: type });
		const endpoint = await api.createEndpoint({ url: model.url, protocol: "cloudevents" });
		await api.createSubscription({ endpoint: endpoint.id, source: source.name });

		const accepted = await api.ingest(source.ingest_url, DELICATE_JSON, {
			"content-type": "application/json",
			authorization: `Bearer ${source.secret}`,
		});

		expect(accepted.status).toBe(202);
		const request = await model.request();
		expect(request.text).toBe(DELICATE_JSON);
		expect(request.headers).toMatchObject({
			"ce-specversion": "1.0",
			"ce-type": type,
			"ce-source": `/sources/${source.name}`,
			"content-type": "application/json",
		});
		verifySignature(request, endpoint.signing_secret);
	});

	test("a NUL truncates neither the text that contains it nor the event after it", async () => {
		const { api, receiver } = stage;
		const type = unique("page.read");
		const model = receiver.model(answer(204));
		const endpoint = await api.createEndpoint({ url: model.url, protocol: "cloudevents" });
		await api.createSubscription({ endpoint: endpoint.id, types: [type] });
		const texts = ["before\0after", "the next one"];
		const events = texts.map((data, index) => ({
			specversion: "1.0",
			id: String(index),
			source: `/${type}`,
			type,
			datacontenttype: "text/plain",
			data,
		}));

		const batch = { "content-type": "application/cloudevents-batch+json" };
		expect((await api.ask("POST", "/v1/events", events, batch)).status).toBe(202);

		const requests = await model.received(2);
		expect(requests.map(({ text }) => text).toSorted()).toEqual(texts);
	});

	test("in structured mode the envelope holds the publisher's text", async () => {
		const { api, receiver } = stage;
		const type = unique("row.inserted");
		const model = receiver.model(answer(204));
		const endpoint = await api.createEndpoint({ url: model.url });
		await api.createSubscription({ endpoint: endpoint.id, types: [type] });

		await api.must("POST", "/v1/events", `{"type":${JSON.stringify(type)}, "data": ${DELICATE_JSON}}`);

		const request = await model.request();
		expect(request.text).toContain(DELICATE_JSON);
		expect(JSON.parse(request.text)).toMatchObject({ type, data: { z: 1, a: 2 } });
	});

	test("a transform's value is what the model gets instead", async () => {
		const { api, receiver } = stage;
		const type = unique("row.inserted");
		const model = receiver.model(answer(204));
		const endpoint = await api.createEndpoint({ url: model.url });
		await api.createSubscription({
			endpoint: endpoint.id,
			types: [type],
			transform: '{ "inputs": data.text, "from": subject }',
		});

		await api.publish({ type, subject: "notes/7", data: { text: "hello", rest: 1 } });

		const request = await model.request();
		expect(request.headers["content-type"]).toMatch(/^application\/json/);
		expect(JSON.parse(request.text)).toEqual({ inputs: "hello", from: "notes/7" });
	});
});
