/** Every way in which an exchange can break ends in a recorded attempt, and harms nobody else. */
import { describe, expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answerBytes, answerJson, answerWithoutEnd, hang, reset, stallInBody } from "./support/behaviours.ts";
import { closedUrl } from "./support/free-port.ts";
import { setting } from "./support/setting.ts";

const stage = setting();

describe("an exchange that breaks is an attempt, and is tried again", () => {
	test.each([
		{ what: "no answer within the timeout", first: hang, outcome: "error", status: null, error: /time/i },
		{
			what: "an answer that stops in its body",
			first: stallInBody,
			outcome: "error",
			status: 200,
			error: /time/i,
		},
		{
			what: "a connection that is reset",
			first: reset,
			outcome: "busy",
			status: null,
			error: /connection|network|reset/i,
		},
	])("$what", async ({ first, outcome, status, error }) => {
		const { api, receiver } = stage;
		const type = unique("scan");
		const model = receiver.model(first, answerJson('{"ok":true}'));
		const endpoint = await api.createEndpoint({
			url: model.url,
			timeout_seconds: error.test("time") ? 1 : 60,
			retry: { schedule_seconds: [1] },
		});
		await api.createSubscription({ endpoint: endpoint.id, types: [type] });

		const event = await api.publish({ type, data: 1 });
		await model.received(1);
		// Or a busy machine would not manage the good answer in time.
		await api.must("PATCH", `/v1/endpoints/${endpoint.id}`, { timeout_seconds: 60 });
		const delivery = await api.deliveryWhen({ event }, isFinished);

		expect(delivery).toMatchObject({
			status: "succeeded",
			attempts: [
				{ number: 1, outcome, status_code: status, error: expect.stringMatching(error) },
				{ number: 2, outcome: "done", status_code: 200 },
			],
			result: { ok: true },
		});
		expect(model.requests).toHaveLength(2);
	});

	test("a connection that is refused, for longer than the endpoint may be busy", async () => {
		const { api } = stage;
		const type = unique("scan");
		const endpoint = await api.createEndpoint({
			url: await closedUrl(),
			retry: { schedule_seconds: [1], busy_max_wait_seconds: 0 },
		});
		await api.createSubscription({ endpoint: endpoint.id, types: [type] });

		const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

		expect(delivery).toMatchObject({ status: "dead", reason: "exhausted" });
		expect(delivery.attempts).toMatchObject([
			{ outcome: "busy", status_code: null, error: expect.any(String) },
			{ outcome: "busy", status_code: null, error: expect.any(String) },
		]);
	});
});

test.each([
	{ what: "of 30 MB", first: answerBytes(30_000_000) },
	{ what: "without an end", first: answerWithoutEnd },
])("a response $what is given up, and the model is not called again", async ({ first }) => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(first, answerJson('{"ok":true}'));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [1] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const delivery = await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	expect(delivery).toMatchObject({
		status: "succeeded",
		attempts: [{ outcome: "done", status_code: 200, error: expect.stringMatching(/^too_large: /) }],
		result: null,
		result_omitted: "too_large",
	});
	expect(model.requests).toHaveLength(1);
});

test("a model that hangs delays no other", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const hanging = receiver.model(hang);
	const healthy = receiver.model(answerJson("{}"));
	const slow = await api.createEndpoint({ url: hanging.url, timeout_seconds: 60 });
	const quick = await api.createEndpoint({ url: healthy.url });
	await api.createSubscription({ endpoint: slow.id, types: [type] });
	await api.createSubscription({ endpoint: quick.id, types: [type] });

	const sent = await Promise.all(Array.from({ length: 20 }, (_, data) => api.publish({ type, data })));

	// All of this happens while the other endpoint has requests open that it will not answer.
	await hanging.received(1);
	for (const event of sent) await api.deliveryWhen({ event, endpoint: quick.id }, isFinished);
	expect(healthy.requests).toHaveLength(20);
	const stuck = await api.deliveries({ endpoint: slow.id });
	expect(stuck).toHaveLength(20);
	expect(stuck.filter(isFinished)).toEqual([]);
	hanging.behave(answerJson("{}"));
});
