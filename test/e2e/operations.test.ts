/** What an operator does to a running endpoint or source: pause, resume, rotate. */
import { expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answerJson } from "./support/behaviours.ts";
import { verifySignature } from "./support/receiver.ts";
import { setting } from "./support/setting.ts";

const stage = setting();

test("a paused endpoint gets nothing, keeps everything, and catches up when it is resumed", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });
	await api.must("POST", `/v1/endpoints/${endpoint.id}/pause`);
	expect(await api.endpoint(endpoint.id)).toMatchObject({ status: "paused", status_reason: "manual" });

	const events = await Promise.all([1, 2, 3].map((data) => api.publish({ type, data })));
	for (const event of events) {
		expect(await api.deliveryWhen({ event }, () => true)).toMatchObject({ status: "pending" });
	}
	expect(model.requests).toEqual([]);

	await api.must("POST", `/v1/endpoints/${endpoint.id}/resume`);
	for (const event of events) {
		expect(await api.deliveryWhen({ event }, isFinished)).toMatchObject({ status: "succeeded" });
	}
	expect(model.requests).toHaveLength(3);
});

test("while an endpoint's secret rotates, requests carry a signature of each", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const rotated = await api.must<{ signing_secret: string }>(
		"POST",
		`/v1/endpoints/${endpoint.id}/secret/rotate`,
	);
	expect(rotated.signing_secret).not.toBe(endpoint.signing_secret);
	await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	const request = await model.request();
	expect(request.headers["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);
	verifySignature(request, rotated.signing_secret);
	verifySignature(request, endpoint.signing_secret);
});

test("a rotation without overlap ends the old secret at once", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const model = receiver.model(answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });

	const rotated = await api.must<{ signing_secret: string }>(
		"POST",
		`/v1/endpoints/${endpoint.id}/secret/rotate`,
		{ grace_period_seconds: 0 },
	);
	await api.deliveryWhen({ event: await api.publish({ type, data: 1 }) }, isFinished);

	const request = await model.request();
	verifySignature(request, rotated.signing_secret);
	expect(() => verifySignature(request, endpoint.signing_secret)).toThrow("No matching signature");
});

test("while a source's secret rotates, both are accepted", async () => {
	const { api } = stage;
	const source = await api.createSource({ auth: { type: "bearer" } });
	const rotated = await api.must<{ secret: string }>("POST", `/v1/sources/${source.id}/secret/rotate`);

	for (const secret of [source.secret, rotated.secret]) {
		const answer = await api.ingest(source.ingest_url, "{}", {
			"content-type": "application/json",
			authorization: `Bearer ${secret}`,
		});
		expect(answer.status).toBe(202);
	}
});
