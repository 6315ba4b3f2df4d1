/** Answers that say "not like this": what they do to the delivery and to the endpoint. */
import { expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answer, answerJson } from "./support/behaviours.ts";
import { setting } from "./support/setting.ts";

const stage = setting();

test("a redirect is a failure and is never followed", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const elsewhere = receiver.model(answerJson("{}"));
	const model = receiver.model(answer(302, "", { location: elsewhere.url }));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [1] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	expect(delivery).toMatchObject({
		status: "dead",
		reason: "exhausted",
		attempts: [
			{ status_code: 302, outcome: "error" },
			{ status_code: 302, outcome: "error" },
		],
	});
	expect(elsewhere.requests).toEqual([]);
});

test.each([400, 413, 422, 451])("%i is final: the same input would fail again", async (status) => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answer(status, "no such field: image"), answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [1] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	expect(delivery).toMatchObject({
		status: "dead",
		reason: "rejected",
		attempts: [{ number: 1, status_code: status, response_excerpt: "no such field: image" }],
	});
	expect(await api.endpoint(endpoint.id)).toMatchObject({ status: "active" });
	expect(model.requests).toHaveLength(1);
});

test("410 disables the endpoint and ends the delivery as gone", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answer(410));
	const endpoint = await api.createEndpoint({ url: model.url });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	expect(delivery).toMatchObject({ status: "dead", reason: "gone", attempts: [{ status_code: 410 }] });
	expect(await api.endpoint(endpoint.id)).toMatchObject({ status: "disabled", status_reason: "gone" });
	expect(model.requests).toHaveLength(1);
});

test.each([
	[401, "unauthorized"],
	[403, "unauthorized"],
	[402, "quota"],
])("%i pauses the endpoint; nothing is lost, and resume delivers", async (status, reason) => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answer(status));
	const endpoint = await api.createEndpoint({
		url: model.url,
		max_concurrency: 1,
		retry: { schedule_seconds: [1] },
	});
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const first = await api.publish({ type, data: 1 });
	const second = await api.publish({ type, data: 2 });
	await api.deliveryWhen({ event: first }, ({ attempts }) => attempts.length > 0);
	const paused = await api.endpoint(endpoint.id);
	expect(paused).toMatchObject({ status: "paused", status_reason: reason });
	const third = await api.publish({ type, data: 3 });
	await api.deliveryWhen({ event: third }, ({ status }) => status === "pending");
	const backlog = await api.deliveries({ endpoint: endpoint.id });
	expect(backlog.map(({ status }) => status)).toEqual(["pending", "pending", "pending"]);

	model.behave(answerJson("{}"));
	await api.must("POST", `/v1/endpoints/${endpoint.id}/resume`);

	for (const event of [first, second, third]) {
		expect(await api.deliveryWhen({ event }, isFinished)).toMatchObject({ status: "succeeded" });
	}
	expect(await api.endpoint(endpoint.id)).toMatchObject({ status: "active", status_reason: null });
});
