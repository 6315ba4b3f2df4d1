/** What a dispatcher makes of answers that cannot be read to their end, and of those that echo its credentials. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { decodeMessage } from "../../src/events/queue/message.ts";
import { findEndpoint } from "../../src/store/resources/endpoints.ts";
import type { DeliveryRecord } from "../../src/delivery/records.ts";
import {
	createSetting,
	incoming,
	model,
	type Setting,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

const result = { type: "never.published.either", transform: null, maxHops: 8, allowCycles: false };
const TOO_LARGE = "The response has more than 1048576 bytes; at most 1048576 are read.";

/** An answer whose body breaks off behind `begun`. */
function cut(status: number, begun = "out of", headers: Record<string, string> = {}): Response {
	let isBegun = false;
	const body = new ReadableStream({
		pull(controller) {
			if (isBegun) controller.error(new Error("Network connection lost."));
			else controller.enqueue(new TextEncoder().encode(begun));
			isBegun = true;
		},
	});
	return new Response(body, { status, headers: { "content-type": "text/plain", ...headers } });
}

async function deliverOne(
	setting: Setting,
	answer: () => Response,
): Promise<{ id: string; calls: ReturnType<typeof model> }> {
	const calls = model(answer);
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	return { id: item.id, calls };
}

describe("a body that breaks off", () => {
	test("does not keep a 401 from pausing the endpoint", async () => {
		const setting = await createSetting();
		const { id } = await deliverOne(setting, () => cut(401, "no such"));
		expect(await whenTried(setting, id)).toMatchObject({
			status: "pending",
			attempts: [{ statusCode: 401, outcome: "unauthorized", excerpt: "no such" }],
		});
		await vi.waitFor(async () => {
			expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ statusReason: "unauthorized" });
		});
	});

	test("does not keep a 410 from disabling it, nor a 422 from being final", async () => {
		const setting = await createSetting();
		const gone = await deliverOne(setting, () => cut(410));
		expect(await whenStatus(setting, gone.id, "dead")).toMatchObject({ reason: "gone" });
		await vi.waitFor(async () => {
			expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ status: "disabled" });
		});
		const other = await createSetting();
		const bad = await deliverOne(other, () => cut(422));
		expect(await whenStatus(other, bad.id, "dead")).toMatchObject({
			reason: "rejected",
			attempts: [
				{
					statusCode: 422,
					outcome: "bad_input",
					error: expect.stringMatching(/^cut_off: /),
					excerpt: "out of",
				},
			],
		});
	});

	test("does not affect the wait that a 429 asks for", async () => {
		const setting = await createSetting();
		const { id } = await deliverOne(setting, () => cut(429, "slow", { "retry-after": "600" }));
		const delivery = await whenTried(setting, id);
		expect(delivery.attempts[0]).toMatchObject({ outcome: "busy", statusCode: 429 });
		expect(delivery.nextAttemptAt).toBeGreaterThan(Date.now() + 500_000);
	});

	test("turns a 200 into an error, whose status is recorded", async () => {
		const setting = await createSetting({ subscription: { result } });
		const { id } = await deliverOne(setting, () => cut(200));
		expect(await whenTried(setting, id)).toMatchObject({
			status: "pending",
			result: null,
			attempts: [{ statusCode: 200, outcome: "error", error: expect.stringMatching(/^cut_off: /) }],
		});
	});

	test("does not affect a 202", async () => {
		const setting = await createSetting({ subscription: { result } });
		const { id } = await deliverOne(setting, () => cut(202));
		expect(await whenStatus(setting, id, "succeeded")).toMatchObject({ result: null, resultOmitted: null });
	});
});

const large = () => new Response("x".repeat(1_048_577), { headers: { "content-type": "text/plain" } });

describe("a response above the limit", () => {
	test("is not a result, and the model is not called again", async () => {
		const setting = await createSetting();
		const { id, calls } = await deliverOne(setting, large);
		expect(await whenStatus(setting, id, "succeeded")).toMatchObject({
			result: null,
			resultOmitted: "too_large",
			resultEventId: null,
			attempts: [{ statusCode: 200, outcome: "done", error: `too_large: ${TOO_LARGE}` }],
		});
		expect(await setting.dispatcher.retry(id)).toEqual({ ok: false, code: "already_succeeded" });
		expect(calls).toHaveLength(1);
		const { items } = await setting.dispatcher.list({ limit: 1 });
		expect(items).toMatchObject([{ resultOmitted: "too_large" }]);
	});

	test("ends a delivery that owes a result event, with the size named", async () => {
		const setting = await createSetting({ subscription: { result } });
		const { id, calls } = await deliverOne(setting, large);
		expect(await whenStatus(setting, id, "dead")).toMatchObject({
			reason: "too_large",
			detail: `There is no result: too_large: ${TOO_LARGE}`,
			resultOmitted: null,
			attempts: [{ statusCode: 200, outcome: "done" }],
		});
		expect(calls).toHaveLength(1);
	});
});

test("an encoded response is decoded, and one without bytes is empty", async () => {
	const setting = await createSetting();
	const zipped = await new Response(
		new Blob(['{"words":4}']).stream().pipeThrough(new CompressionStream("gzip")),
	).bytes();
	const headers = { "content-type": "application/json", "content-encoding": "x-gzip" };
	// The mock's answer passes through no network, so nothing codes it on the way.
	const coded = await deliverOne(setting, () => new Response(zipped, { headers, encodeBody: "manual" }));
	expect(await whenStatus(setting, coded.id, "succeeded")).toMatchObject({
		result: { data: { kind: "json", text: '{"words":4}' } },
	});
	const empty = await deliverOne(
		setting,
		() => new Response(new Uint8Array(), { headers, encodeBody: "manual" }),
	);
	expect(await whenStatus(setting, empty.id, "succeeded")).toMatchObject({ result: null });
});

describe("credentials that the model echoes", () => {
	const TOKEN = "sk-live/0123456789";
	const bearer = { auth: { type: "bearer", token: TOKEN } } as const;

	/** Delivers one event whose answer is published; answers the delivery and the text of the queue's message. */
	async function publish(
		endpoint: Parameters<typeof createSetting>[0],
		answer: () => Response,
	): Promise<{ delivery: DeliveryRecord; message: string }> {
		const setting = await createSetting({ ...endpoint, subscription: { result } });
		const sent: string[] = [];
		vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
			sent.push(message);
			return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
		});
		const { id } = await deliverOne(setting, answer);
		const delivery = await whenStatus(setting, id, "succeeded");
		await runInDurableObject(setting.dispatcher, (_, { storage }) => {
			const stored = storage.sql.exec("SELECT * FROM deliveries").toArray();
			expect(JSON.stringify(stored)).not.toContain(TOKEN);
		});
		return { delivery, message: sent[0] ?? "" };
	}

	test("are in no result, result event or excerpt", async () => {
		const { delivery, message } = await publish({ endpoint: bearer }, () =>
			Response.json({ headers: { authorization: `Bearer ${TOKEN}` }, n: 1 }),
		);
		const masked = '{"headers":{"authorization":"Bearer ***"},"n":1}';
		expect(delivery.result?.data).toEqual({ kind: "json", text: masked });
		expect(delivery.attempts[0]?.excerpt).toBe(masked);
		expect(decodeMessage(message)).toMatchObject({ events: [{ data: { kind: "json", text: masked } }] });
	});

	test("are in no attribute of an event either", async () => {
		const headers = {
			"ce-specversion": "1.0",
			"ce-id": TOKEN,
			"ce-source": `/echo?token=${encodeURIComponent(TOKEN)}`,
			"ce-type": "echo",
			"ce-subject": `Bearer ${TOKEN}`,
			"content-type": "text/plain",
		};
		const { message } = await publish({ endpoint: bearer }, () => new Response(`said ${TOKEN}`, { headers }));
		expect(decodeMessage(message)).toMatchObject({
			events: [
				{
					attributes: { id: "***", source: "/echo?token=***", subject: "Bearer ***" },
					data: { kind: "text", text: "said ***" },
				},
			],
		});
	});

	test("are overwritten in a response that is not text", async () => {
		const bytes = Buffer.from([0xff, ...Buffer.from(TOKEN), 0x00]);
		const { delivery } = await publish(
			{ endpoint: { headers: { "x-api-key": TOKEN } } },
			() => new Response(bytes, { headers: { "content-type": "image/png" } }),
		);
		const masked = Buffer.from([0xff, ...Buffer.from("*".repeat(TOKEN.length)), 0x00]).toString("base64");
		expect(delivery.result?.data).toEqual({ kind: "binary", base64: masked });
	});

	test("of the URL are hidden, too", async () => {
		const url = `https://model.example.com/?key=${encodeURIComponent(TOKEN)}`;
		const { delivery } = await publish({ endpoint: { url } }, () =>
			Response.json({ url, args: { key: TOKEN } }),
		);
		expect(delivery.result?.data).toEqual({
			kind: "json",
			text: '{"url":"https://model.example.com/?key=***","args":{"key":"***"}}',
		});
	});

	test("are not in the error of an attempt", async () => {
		const setting = await createSetting({ endpoint: bearer });
		const { id } = await deliverOne(setting, () => {
			throw new Error(`cannot send Bearer ${TOKEN} to https://model.example.com/?key=1234`);
		});
		expect((await whenTried(setting, id)).attempts[0]?.error).toBe(
			"network: cannot send Bearer *** to (URL)",
		);
	});
});
