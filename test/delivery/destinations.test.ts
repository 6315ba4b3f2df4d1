/** Deliveries to bindings, from the dispatcher to what is behind them, in the dispatcher itself and by hands. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { findEndpoint } from "../../src/store/resources/endpoints.ts";
import type { Got } from "../destinations.ts";
import { createSetting, incoming, model, whenStatus, whenTried } from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
	Reflect.deleteProperty(env, "AI");
});

const fetcher = Reflect.get(env, "OCR") as Fetcher;

/** The messages that the queue's consumer has got and that hold `mark`, once there are `count`. */
async function whenGot(mark: string, count: number): Promise<Got[]> {
	return vi.waitFor(
		async () => {
			const all = await (await fetcher.fetch("http://destination/got")).json<Got[]>();
			const found = all.filter(({ text }) => text.includes(mark));
			if (found.length < count) throw new Error(`${found.length} of ${count} messages`);
			return found;
		},
		{ interval: 20 },
	);
}

test("a queue gets each message once, as JSON, from the dispatcher and from hands", async () => {
	const outside = model(() => new Response());
	const setting = await createSetting({
		endpoint: { url: "queue:JOBS", protocol: "queue", maxConcurrency: 20 },
		subscription: { transform: '{"mark": "queued-by-20", "id": $number(data.number)}' },
	});
	const items = Array.from({ length: 20 }, () => incoming(setting));
	await setting.dispatcher.enqueue(items);
	for (const { id } of items) {
		expect(await whenStatus(setting, id, "succeeded")).toMatchObject({
			result: null,
			attempts: [{ outcome: "done", statusCode: 204 }],
		});
	}
	const got = await whenGot("queued-by-20", 20);
	expect(new Set(got.map(({ text }) => text)).size).toBe(20);
	expect(got.every(({ type }) => type === "object")).toBe(true);
	expect(outside).toEqual([]);
});

test("a queue gets the event itself, and a text as a text", async () => {
	const endpoint = { url: "queue:JOBS", protocol: "queue" };
	const plain = await createSetting({ endpoint });
	const item = incoming(plain);
	item.event.data = { kind: "json", text: '{"mark":"the-event","id":9007199254740993}' };
	await plain.dispatcher.enqueue([item]);
	await whenStatus(plain, item.id, "succeeded");
	const [event] = await whenGot("the-event", 1);
	expect(JSON.parse(event?.text ?? "")).toMatchObject({ specversion: "1.0", type: "document.inserted" });
	// As JavaScript reads the digits that came.
	expect(event?.text).toContain('"id":9007199254740992');
	const texts = await createSetting({ endpoint, subscription: { transform: '"a-text-of-its-own"' } });
	const other = incoming(texts);
	await texts.dispatcher.enqueue([other]);
	expect(await whenGot("a-text-of-its-own", 1)).toEqual([{ type: "string", text: '"a-text-of-its-own"' }]);
});

test("a service of a VPC is called by any protocol of HTTP, behind its path", async () => {
	const outside = model(() => new Response());
	const setting = await createSetting({
		endpoint: { url: "vpc:OCR/gateway?lang=de", protocol: "kserve-v1", model: "iris" },
		subscription: { transform: "[5.1, 3.5]" },
	});
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	const { result } = await whenStatus(setting, item.id, "succeeded");
	expect(JSON.parse(result?.data.kind === "json" ? result.data.text : "")).toEqual({
		path: "/gateway/v1/models/iris:predict?lang=de",
		id: item.id,
		body: '{"instances":[[5.1,3.5]]}',
	});
	expect(outside).toEqual([]);
});

test("a model of Workers AI runs, and its output is the result", async () => {
	const runs: unknown[] = [];
	Reflect.set(env, "AI", {
		run: async (name: string, input: unknown) => {
			runs.push([name, input]);
			return { response: "HELLO" };
		},
	});
	const setting = await createSetting({
		endpoint: { url: "workers-ai:@cf/meta/llama-3.1-8b-instruct", protocol: "workers-ai" },
		subscription: { transform: '"hello"' },
	});
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	expect(await whenStatus(setting, item.id, "succeeded")).toMatchObject({
		result: { data: { kind: "json", text: '{"response":"HELLO"}' }, contentType: "application/json" },
	});
	expect(runs).toEqual([
		["@cf/meta/llama-3.1-8b-instruct", { messages: [{ role: "user", content: "hello" }] }],
	]);
});

test("a daily allocation that is used up pauses the endpoint, and keeps the delivery", async () => {
	Reflect.set(env, "AI", {
		run: () =>
			Promise.reject(new Error("3036: You have used up your daily free allocation of 10,000 neurons.")),
	});
	const setting = await createSetting({
		endpoint: { url: "workers-ai:@cf/baai/bge-m3", protocol: "workers-ai" },
		subscription: { transform: '"hello"' },
	});
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	expect(await whenTried(setting, item.id)).toMatchObject({
		status: "pending",
		attempts: [
			{ outcome: "quota", statusCode: 429, error: expect.stringContaining("daily free allocation") },
		],
	});
	await vi.waitFor(async () => {
		expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ statusReason: "quota" });
	});
});

test("a binding that is gone is an attempt that says so", async () => {
	const setting = await createSetting({ endpoint: { url: "queue:GONE", protocol: "queue" } });
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	expect(await whenTried(setting, item.id)).toMatchObject({
		status: "pending",
		attempts: [{ outcome: "error", error: expect.stringContaining('binding = "GONE"') }],
	});
});
