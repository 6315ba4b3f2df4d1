/** A real service of BentoML behind protocol `bentoml`: a method, and a task whose result is polled. */
import { expect, test } from "vitest";
import { isFinished, unique } from "../support/api.ts";
import { answer } from "../support/behaviours.ts";
import { setting } from "../support/setting.ts";
import { liveServer } from "./server.ts";

const stage = setting();
const server = liveServer({
	name: "bentoml",
	module: ([http]) => ["bentoml", "serve", "service:Words", "--host=127.0.0.1", `--port=${http}`],
	env: (_, gate) => ({ BENTOML_DO_NOT_TRACK: "True", SCAN_WHEN: gate }),
	upPath: "/readyz",
});

const OWN_ID = expect.stringMatching(/^[0-9a-f]{16}$/);
const POLL = { mode: "poll", deadline_seconds: 3_600 };

/** A method of the service behind an endpoint, subscribed to a type of its own. */
async function subscribe(model: string, fields = {}) {
	const { api } = stage;
	const [type, counted] = [unique("text.written"), unique("text.counted")];
	const endpoint = await api.createEndpoint({ url: server.url, protocol: "bentoml", model, ...fields });
	await api.createSubscription({ endpoint: endpoint.id, types: [type], result: { type: counted } });
	return { type, counted, endpoint };
}

test("a method's output becomes the result event, with the id that the service gave the request", async () => {
	const { api } = stage;
	const { type, counted } = await subscribe("read");

	const event = await api.publish({ type, data: { text: "héllo brave world" } });
	const delivery = await api.deliveryWhen({ event }, isFinished);

	expect(delivery).toMatchObject({
		status: "succeeded",
		attempts: [{ status_code: 200, outcome: "done", request_id: OWN_ID }],
		result: { text: "héllo brave world", words: 3 },
	});
	expect(await api.must("GET", `/v1/events/${delivery.result_event_id}`)).toMatchObject({ type: counted });
});

test("a task is asked for until it has ended, and its output becomes the result event", async () => {
	const { api, receiver } = stage;
	const { type, counted } = await subscribe("scan", { completion: POLL });
	const app = receiver.model(answer(204));
	const listener = await api.createEndpoint({ url: app.url });
	await api.createSubscription({ endpoint: listener.id, types: [counted] });

	const event = await api.publish({ type, data: { text: "a b" } });
	const waiting = await api.deliveryWhen({ event }, ({ status }) => status === "waiting");
	expect(waiting).toMatchObject({ attempts: [{ status_code: 200, outcome: "accepted" }], result: null });

	await server.openGate();

	const delivery = await api.deliveryWhen({ event }, isFinished);
	expect(delivery).toMatchObject({
		status: "succeeded",
		attempt_count: 1,
		attempts: [{ request_id: OWN_ID, job: { by: "poll", outcome: "done" } }],
		result: { text: "a b", words: 2 },
	});
	expect(JSON.parse((await app.request()).text)).toMatchObject({
		type: counted,
		sluicerequestid: OWN_ID,
		data: { words: 2 },
	});
});

test("an input that the service refuses is rejected at once, and so is one that its task refuses", async () => {
	const { api } = stage;
	await server.openGate();
	const cases = [
		[await subscribe("read"), { text: "" }, { status_code: 400, error: "the text is empty" }],
		[await subscribe("read"), { other: 1 }, { status_code: 400, error: expect.stringContaining("text") }],
		[await subscribe("scan", { completion: POLL }), { text: "" }, { job: { outcome: "bad_input" } }],
	] as const;
	for (const [{ type }, data, attempt] of cases) {
		const delivery = await api.deliveryWhen({ event: await api.publish({ type, data }) }, isFinished);
		expect(delivery).toMatchObject({ status: "dead", reason: "rejected", attempts: [attempt] });
	}
});

test("a test of the endpoint, and the question whether it is ready, say how the service is", async () => {
	const { api } = stage;
	const { endpoint } = await subscribe("read");
	const none = await api.createEndpoint({ url: server.url, protocol: "bentoml", model: "none" });
	const test = (id: string, text: string) =>
		api.must("POST", `/v1/endpoints/${id}/test`, { event: { type: "text.written", data: { text } } });

	expect(await api.ready(endpoint.id)).toBe(true);
	expect(await test(endpoint.id, "a b c d")).toMatchObject({
		outcome: "done",
		request_id: OWN_ID,
		output: { data: { words: 4 } },
	});
	expect(await test(endpoint.id, "")).toMatchObject({ outcome: "bad_input", error: "the text is empty" });
	expect(await test(none.id, "a")).toMatchObject({ outcome: "error", response: { status_code: 404 } });

	await server.stop();
	expect(await api.ready(endpoint.id)).toBe(false);
	expect(await test(endpoint.id, "a")).toMatchObject({ outcome: "busy", response: null });
});
