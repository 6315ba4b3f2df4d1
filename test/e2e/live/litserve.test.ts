/** A real LitServe: behind protocol `http` with a transform, and behind those of OpenAI, whose shape it has too. */
import { expect, test } from "vitest";
import { isFinished, unique } from "../support/api.ts";
import { setting } from "../support/setting.ts";
import { liveServer } from "./server.ts";

const stage = setting();
const server = liveServer({
	name: "litserve",
	module: ([http]) => ["server", String(http)],
	env: () => ({}),
	upPath: "/health",
});

/** The one delivery of an event to such an endpoint, once it has ended. */
async function deliver(endpoint: Record<string, unknown>, transform: string, data: unknown) {
	const { api } = stage;
	const [type, counted] = [unique("text.written"), unique("text.counted")];
	const { id } = await api.createEndpoint({ url: server.url, ...endpoint });
	await api.createSubscription({ endpoint: id, types: [type], transform, result: { type: counted } });
	return api.deliveryWhen({ event: await api.publish({ type, data }) }, isFinished);
}

test("a model behind protocol http", async () => {
	const url = `${server.url}/predict`;
	const delivery = await deliver({ url }, '{ "text": data.text }', { text: "a b c" });
	expect(delivery).toMatchObject({
		status: "succeeded",
		result: { words: 3 },
		result_event_id: expect.stringMatching(/^evt_/),
	});
});

test("an input that it refuses is rejected at once", async () => {
	const url = `${server.url}/predict`;
	const delivery = await deliver({ url }, '{ "text": data.text }', { text: "" });
	expect(delivery).toMatchObject({
		status: "dead",
		reason: "rejected",
		attempts: [{ status_code: 422, outcome: "bad_input" }],
	});
});

test("a chat", async () => {
	const delivery = await deliver({ protocol: "openai-chat", model: "lit" }, "data.text", { text: "hello" });
	expect(delivery).toMatchObject({
		status: "succeeded",
		attempts: [{ outcome: "done", model_version: "lit", request_id: expect.stringMatching(/^chatcmpl-/) }],
		result: { choices: [{ message: { role: "assistant", content: "You said: hello" } }] },
	});
});

test("embeddings, one for each text", async () => {
	const endpoint = { protocol: "openai-embeddings", model: "lit" };
	const delivery = await deliver(endpoint, "data.texts", { texts: ["a", "abc"] });
	expect(delivery).toMatchObject({
		status: "succeeded",
		attempts: [{ outcome: "done", model_version: "lit" }],
		result: {
			data: [
				{ index: 0, embedding: [1, 0.5] },
				{ index: 1, embedding: [3, 0.5] },
			],
		},
	});
});

test("a test of the endpoint, and the question whether it is ready, say how the server is", async () => {
	const { api } = stage;
	const { id } = await api.createEndpoint({ url: server.url, protocol: "openai-chat", model: "lit" });
	// It has no list of models, which says nothing of the model.
	expect(await api.ready(id)).toBe(null);
	expect(await api.must("POST", `/v1/endpoints/${id}/test`)).toMatchObject({
		outcome: "done",
		model_version: "lit",
		output: { data: { choices: [{ message: { content: expect.stringMatching(/^You said: /) } }] } },
	});

	await server.stop();
	expect(await api.ready(id)).toBe(false);
	expect(await api.must("POST", `/v1/endpoints/${id}/test`)).toMatchObject({
		outcome: "busy",
		response: null,
	});
});
