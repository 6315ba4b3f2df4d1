/** A real MLServer behind protocol `open-inference`. */
import { expect, test } from "vitest";
import { isFinished, unique } from "../support/api.ts";
import { answer } from "../support/behaviours.ts";
import { setting } from "../support/setting.ts";
import { until } from "../support/until.ts";
import { liveServer } from "./server.ts";

const stage = setting();
const server = liveServer({
	name: "mlserver",
	module: () => ["mlserver.cli.main", "start", "."],
	env: ([http, grpc, metrics], gate) => ({
		MLSERVER_HOST: "127.0.0.1",
		MLSERVER_HTTP_PORT: String(http),
		MLSERVER_GRPC_PORT: String(grpc),
		MLSERVER_METRICS_PORT: String(metrics),
		// In its own process, without a pool of workers.
		MLSERVER_PARALLEL_WORKERS: "0",
		LOAD_WHEN: gate,
	}),
	upPath: "/v2/models/words/ready",
});

/** What version models/…/model-settings.json gives the models. */
const VERSION = "2026.11";
const TRANSFORM = '{ "text": data.text }';

/** The server's model behind an endpoint, subscribed to a type of its own. */
async function subscribe(model: string) {
	const { api } = stage;
	const [type, counted] = [unique("text.written"), unique("text.counted")];
	const endpoint = await api.createEndpoint({ url: server.url, protocol: "open-inference", model });
	const result = { type: counted };
	await api.createSubscription({ endpoint: endpoint.id, types: [type], transform: TRANSFORM, result });
	return { type, counted, endpoint };
}

test("its output becomes the result event, with the model's version and the request's id", async () => {
	const { api, receiver } = stage;
	const { type, counted } = await subscribe("words");
	const app = receiver.model(answer(204));
	const listener = await api.createEndpoint({ url: app.url });
	await api.createSubscription({ endpoint: listener.id, types: [counted] });

	const event = await api.publish({ type, subject: "texts/1", data: { text: "héllo brave world" } });
	const delivery = await api.deliveryWhen({ event }, isFinished);

	expect(delivery).toMatchObject({
		status: "succeeded",
		attempts: [{ status_code: 200, outcome: "done", model_version: VERSION, request_id: delivery.id }],
	});
	expect(JSON.parse((await app.request()).text)).toMatchObject({
		type: counted,
		subject: "texts/1",
		causationid: event,
		sluicemodelversion: VERSION,
		sluicerequestid: delivery.id,
		data: { model_name: "words", outputs: [{ datatype: "BYTES", shape: [1, 1], data: ["3"] }] },
	});
	expect(app.requests).toHaveLength(1);
});

test.each([
	["the model refuses", { text: "" }, 400, /a text is empty/],
	// Numbers, where the model takes texts.
	["does not fit the model", { text: 5 }, 400, /\S/],
])("an input that %s is rejected at once", async (_, data, status, error) => {
	const { api } = stage;
	const { type } = await subscribe("words");

	const delivery = await api.deliveryWhen({ event: await api.publish({ type, data }) }, isFinished);

	expect(delivery).toMatchObject({
		status: "dead",
		reason: "rejected",
		attempt_count: 1,
		attempts: [{ status_code: status, outcome: "bad_input", error: expect.stringMatching(error) }],
	});
});

test("a model that is still loading is waited for, and costs no attempt", async () => {
	const { api } = stage;
	await until("the model to be known", async () => {
		const { status } = await fetch(`${server.url}/v2/models/late/ready`);
		return status === 400 || null;
	});
	const { type, endpoint } = await subscribe("late");
	const event = await api.publish({ type, data: { text: "a b" } });

	const waiting = await api.deliveryWhen({ event }, ({ attempts }) => attempts.length > 0);
	expect(waiting).toMatchObject({
		status: "pending",
		attempts: [{ status_code: 400, outcome: "busy", error: "Model late is not ready yet." }],
	});
	expect(await api.ready(endpoint.id)).toBe(false);
	expect(await api.must("POST", `/v1/endpoints/${endpoint.id}/test`)).toMatchObject({
		outcome: "busy",
		scope: "endpoint",
	});

	await server.openGate();

	const delivery = await api.deliveryWhen({ event }, isFinished);
	expect(delivery.status).toBe("succeeded");
	expect(delivery.attempts.slice(0, -1).every(({ outcome }) => outcome === "busy")).toBe(true);
	expect(delivery.result).toMatchObject({ outputs: [{ data: ["2"] }] });
	expect(await api.ready(endpoint.id)).toBe(true);
});

test("a test of the endpoint, and the question whether it is ready, say how the server is", async () => {
	const { api } = stage;
	const words = await api.createEndpoint({ url: server.url, protocol: "open-inference", model: "words" });
	const none = await api.createEndpoint({ url: server.url, protocol: "open-inference", model: "none" });
	const test = (id: string, text: string) =>
		api.must("POST", `/v1/endpoints/${id}/test`, {
			event: { type: "text.written", data: { text } },
			transform: TRANSFORM,
		});

	expect([await api.ready(words.id), await api.ready(none.id)]).toEqual([true, false]);
	expect(await test(words.id, "a b c d")).toMatchObject({
		outcome: "done",
		response: { status_code: 200 },
		model_version: VERSION,
		request_id: expect.stringMatching(/^dlv_test_/),
		output: { data: { outputs: [{ data: ["4"] }] } },
	});
	expect(await test(words.id, "")).toMatchObject({
		outcome: "bad_input",
		response: { status_code: 400 },
		error: expect.stringContaining("a text is empty"),
	});
	expect(await test(none.id, "a")).toMatchObject({ outcome: "error", response: { status_code: 404 } });

	await server.stop();
	expect(await api.ready(words.id)).toBe(false);
	expect(await test(words.id, "a")).toMatchObject({ outcome: "busy", response: null });
});
