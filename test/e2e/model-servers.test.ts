/** Servers that are cold, full, loading, slow to tell their output or talkative, each through the whole router. */
import { afterEach, describe, expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import type { Delivery } from "./support/api.ts";
import { answer, answerBinaryEvent, answerBytes, answerJson, answerStream } from "./support/behaviours.ts";
import { admitting, callingBack, coldServer, loading, polled } from "./support/model-server.ts";
import type { ColdServer } from "./support/model-server.ts";
import { setting } from "./support/setting.ts";
import { until } from "./support/until.ts";

const stage = setting();
const OUTPUT = '{"text":"read","page":9007199254740993}';

/** An endpoint, and a type of events that goes to it. */
async function subscribe(endpoint: { url: string } & Record<string, unknown>, subscription = {}) {
	const { api } = stage;
	const type = unique("scan");
	const { id } = await api.createEndpoint({ retry: { schedule_seconds: [1] }, ...endpoint });
	await api.createSubscription({ endpoint: id, types: [type], ...subscription });
	return { id, type };
}

/** The only delivery of a new event, once it has ended. */
async function deliver(type: string, data: unknown = { page: 1 }): Promise<Delivery> {
	return stage.api.deliveryWhen({ event: await stage.api.publish({ type, data }) }, isFinished);
}

const outcomes = ({ attempts }: Delivery) => attempts.map(({ outcome }) => outcome);

describe("a server that is cold", () => {
	let server: ColdServer;
	afterEach(() => server.close());

	test("refuses, is unavailable, and then gets all that waited for it", async () => {
		const { api } = stage;
		server = await coldServer(OUTPUT);
		const { id, type } = await subscribe({ url: server.url });
		const events = await Promise.all([1, 2, 3].map((page) => api.publish({ type, data: { page } })));
		const waiting = await until("a refused connection", async () => {
			const tried = (await api.deliveries({ endpoint: id })).find(({ attempts }) => attempts.length > 0);
			return tried ?? null;
		});
		expect(waiting).toMatchObject({ status: "pending", attempts: [{ outcome: "busy", status_code: null }] });
		expect(await api.must("GET", `/v1/endpoints/${id}`)).toMatchObject({ blocked_by: "cold_start" });

		const model = await server.open(1_000);

		const ended = await Promise.all(events.map((event) => api.deliveryWhen({ event }, isFinished)));
		expect(ended.map(({ status }) => status)).toEqual(Array(3).fill("succeeded"));
		for (const delivery of ended) {
			expect(
				outcomes(delivery)
					.slice(0, -1)
					.every((outcome) => outcome === "busy"),
			).toBe(true);
		}
		const answered = ended.flatMap(({ attempts }) => attempts.map((attempt) => attempt.status_code));
		expect(answered.filter((status) => status === 200)).toHaveLength(3);
		expect(answered).toContain(503);
		expect(model.requests).toHaveLength(answered.filter((status) => status !== null).length);
	});
});

test("a server that admits two at once works on all, each once, and refuses few", async () => {
	const { api, receiver } = stage;
	const { behave, seen } = admitting(2, 50);
	const { id, type } = await subscribe({ url: receiver.model(behave).url, max_concurrency: 6 });
	const events = await Promise.all(
		Array.from({ length: 40 }, (_, page) => api.publish({ type, data: page })),
	);

	const deliveries = await until("all to end", async () => {
		const all = await api.deliveries({ endpoint: id });
		return all.length === events.length && all.every(isFinished) ? all : null;
	});

	expect(deliveries.every(({ status }) => status === "succeeded")).toBe(true);
	expect(seen.accepted.toSorted()).toEqual(deliveries.map((delivery) => delivery.id).toSorted());
	expect(seen.most).toBe(2);
	const busy = deliveries.flatMap(outcomes).filter((outcome) => outcome === "busy");
	expect(busy).toHaveLength(seen.refused);
	// With six at a time and no regard for what was refused, it would be two for each one that is taken.
	expect(seen.refused).toBeLessThan(events.length);
});

test("a model that MLServer is still loading is waited for", async () => {
	const { api, receiver } = stage;
	const { behave, load } = loading("late", '{"model_version":"7","outputs":[]}');
	const model = receiver.model(behave);
	const { id, type } = await subscribe({ url: model.url, protocol: "open-inference", model: "late" });
	const event = await api.publish({ type, data: { page: 1 } });
	await api.deliveryWhen({ event }, ({ attempts }) => attempts.length > 0);
	expect(await api.ready(id)).toBe(false);

	load();

	const delivery = await api.deliveryWhen({ event }, isFinished);
	expect(delivery).toMatchObject({ status: "succeeded" });
	expect(delivery.attempts.at(-1)).toMatchObject({ outcome: "done", model_version: "7" });
	expect(new Set(outcomes(delivery).slice(0, -1))).toEqual(new Set(["busy"]));
	expect(await api.ready(id)).toBe(true);
	const sent = model.requests.filter(({ method }) => method === "POST");
	expect(sent).toHaveLength(delivery.attempts.length);
});

describe("a server that calls back", () => {
	const completion = { mode: "callback", deadline_seconds: 3_600 };

	test.each([
		["before it answers", { before: 1 }, 1],
		["after it has answered", { after: 1 }, 1],
		["twice", { after: 2 }, 2],
		["before it answers, and again", { before: 1, after: 1 }, 2],
	])("%s: its output is the result, published once", async (_, times, callbacks) => {
		const { api, receiver } = stage;
		const { behave, said } = callingBack(times, OUTPUT);
		const model = receiver.model(behave);
		const app = receiver.model(answer(204));
		const read = unique("scan.read");
		const { type } = await subscribe({ url: model.url, completion }, { result: { type: read } });
		const listener = await api.createEndpoint({ url: app.url });
		await api.createSubscription({ endpoint: listener.id, types: [read] });

		const delivery = await deliver(type);

		expect(delivery).toMatchObject({ status: "succeeded", attempts: [{ number: 1 }] });
		expect(model.requests).toHaveLength(1);
		await until("all callbacks", () => said.length === callbacks || null);
		expect(said.every(({ status }) => status === 200)).toBe(true);
		expect(said.filter(({ effect }) => effect === "taken")).toHaveLength(1);
		expect((await app.request()).text).toContain(`"data":${OUTPUT}`);
		expect(await api.eventsOfType(read)).toHaveLength(1);
		expect(app.requests).toHaveLength(1);
	});

	test("never: each job spends an attempt when its deadline has passed", async () => {
		const { receiver } = stage;
		const { behave, said } = callingBack({}, OUTPUT);
		const model = receiver.model(behave);
		const { type } = await subscribe({ url: model.url, completion: { ...completion, deadline_seconds: 1 } });

		const delivery = await deliver(type);

		expect(delivery).toMatchObject({ status: "dead", reason: "deadline" });
		expect(outcomes(delivery)).toEqual(["accepted", "accepted"]);
		expect(said).toEqual([]);
		expect(model.requests).toHaveLength(2);
	});
});

test("a server that responds 202 with a Location is polled there until the output is ready", async () => {
	const { receiver } = stage;
	const { behave, asked } = polled(1, OUTPUT);
	const model = receiver.model(behave);
	const { type } = await subscribe({ url: model.url, completion: { mode: "poll" } });

	const delivery = await deliver(type);

	expect(delivery).toMatchObject({ status: "succeeded", attempt_count: 1, result: { text: "read" } });
	const place = `${new URL(model.url).pathname}/jobs/${delivery.id}`;
	expect(asked).toEqual([place, place]);
	expect(model.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
});

test("an output that is a CloudEvent in binary mode is the result event as it stands", async () => {
	const { api, receiver } = stage;
	const judged = unique("scan.judged");
	const judge = receiver.model(answerBinaryEvent({ id: "v-1", source: "/judge", type: judged }, OUTPUT));
	const app = receiver.model(answer(204));
	const { type } = await subscribe({ url: judge.url }, { result: {} });
	const listener = await api.createEndpoint({ url: app.url });
	await api.createSubscription({ endpoint: listener.id, types: [judged] });

	const delivery = await deliver(type);

	expect(delivery.status).toBe("succeeded");
	const { text } = await app.request();
	expect(text).toContain(`"data":${OUTPUT}`);
	expect(JSON.parse(text)).toMatchObject({ type: judged });
	expect(app.requests).toHaveLength(1);
});

const chunk = (content: string, finish: string | null = null) =>
	JSON.stringify({ id: "c", choices: [{ index: 0, delta: { content }, finish_reason: finish }] });

test.each([
	{
		what: "a chat completion is joined",
		protocol: "openai-chat",
		stream: [chunk("He"), chunk("llo", "stop"), "[DONE]"],
		expected: { choices: [{ message: { content: "Hello" } }] },
	},
	{
		what: "any other is its text",
		protocol: "http",
		stream: ["a", "b"],
		expected: "data: a\n\ndata: b\n\n",
	},
])("a stream of events: $what", async ({ protocol, stream, expected }) => {
	const { receiver } = stage;
	const model = receiver.model(answerStream(...stream));
	const { type } = await subscribe({ url: model.url, protocol, model: "m" });

	const delivery = await deliver(type);

	expect(delivery.status).toBe("succeeded");
	if (typeof expected === "string") expect(delivery.result).toBe(expected);
	else expect(delivery.result).toMatchObject(expected);
	expect(model.requests).toHaveLength(1);
});

test("an output of 30 MB that should become an event is dead too_large, and not asked for again", async () => {
	const { receiver } = stage;
	const model = receiver.model(answerBytes(30_000_000), answerJson("{}"));
	const { type } = await subscribe({ url: model.url }, { result: { type: unique("scan.read") } });

	const delivery = await deliver(type);

	expect(delivery).toMatchObject({
		status: "dead",
		reason: "too_large",
		detail: expect.stringContaining("30000000"),
		attempts: [{ outcome: "done", status_code: 200 }],
	});
	expect(model.requests).toHaveLength(1);
});
