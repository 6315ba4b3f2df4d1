/** A model that fails for a while, and one that is busy. */
import { expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answer, answerJson } from "./support/behaviours.ts";
import { verifySignature } from "./support/receiver.ts";
import { setting } from "./support/setting.ts";

const stage = setting();

test("a failing model is asked again by the schedule, with the same id and a fresh signature", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answer(500, "out of memory"), answer(404), answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [1, 1] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	expect(delivery).toMatchObject({
		status: "succeeded",
		attempt_count: 3,
		attempts: [
			{ number: 1, status_code: 500, outcome: "error", response_excerpt: "out of memory" },
			{ number: 2, status_code: 404, outcome: "error" },
			{ number: 3, status_code: 200, outcome: "done" },
		],
	});
	expect(model.requests.map(({ headers }) => headers["webhook-id"])).toEqual(Array(3).fill(delivery.id));
	expect(model.requests.map(({ headers }) => headers["sluice-attempt"])).toEqual(["1", "2", "3"]);
	for (const request of model.requests) verifySignature(request, endpoint.signing_secret);
});

test("a model that fails to the end of the schedule leaves a dead letter, which can be sent again", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answer(500));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [1] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const dead = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);
	expect(dead).toMatchObject({ status: "dead", reason: "exhausted", attempt_count: 2 });

	model.behave(answerJson("{}"));
	await api.must("POST", `/v1/deliveries/${dead.id}/retry`);
	const again = await api.deliveryWhen({ event: dead.event_id }, ({ status }) => status === "succeeded");
	expect(again).toMatchObject({ id: dead.id, attempts: [{ number: 1 }, { number: 2 }, { number: 3 }] });
	expect(model.requests).toHaveLength(3);
});

test.each([
	["429 with Retry-After in seconds", answer(429, "", { "retry-after": "1" })],
	["503 with Retry-After as a date", answer(503, "", { "retry-after": new Date(0).toUTCString() })],
])("a busy model (%s) is waited for and costs no attempt", async (_, busy) => {
	const { api, receiver } = stage;
	const type = unique("scan");
	// With the last one these are more exchanges than the schedule has attempts.
	const model = receiver.model(busy, busy, answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [1] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	expect(delivery.status).toBe("succeeded");
	expect(delivery.attempts.map(({ outcome }) => outcome)).toEqual(["busy", "busy", "done"]);
	expect(model.requests).toHaveLength(3);
});

test("a pending delivery can be canceled, and is not sent again", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answer(500), answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [3_600] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });
	const pending = await api.deliveryWhen(
		{ event: await api.publish({ type, data: 1 }) },
		({ attempts }) => attempts.length === 1,
	);
	expect(pending).toMatchObject({ status: "pending", next_attempt_at: expect.any(String) });

	await api.must("POST", `/v1/deliveries/${pending.id}/cancel`);

	expect(await api.delivery(pending.id)).toMatchObject({ status: "canceled", next_attempt_at: null });
	expect(model.requests).toHaveLength(1);
});
