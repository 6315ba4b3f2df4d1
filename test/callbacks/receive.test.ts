import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { Webhook } from "standardwebhooks";
import { afterEach, describe, expect, test, vi } from "vitest";
import { app } from "../../src/app.ts";
import { STATUS_HEADER } from "../../src/callbacks/receive.ts";
import { DEFAULT_COMPLETION } from "../../src/store/resources/endpoint-columns.ts";
import { assertDescribed } from "../api/described.ts";
import type { Completion, ReadableEndpoint } from "../../src/store/records.ts";
import {
	createSetting,
	incoming,
	model,
	runAlarm,
	type Setting,
	until,
	whenStatus,
	whenTried,
} from "../delivery/dispatcher.fixtures.ts";

const ORIGIN = "https://router.example.com";
const result = { type: "text.read", transform: null, maxHops: 8, allowCycles: false };

afterEach(() => vi.restoreAllMocks());

/** An endpoint that takes jobs and calls back. */
async function calledBack(
	completion: Partial<Completion> = {},
	endpoint: Partial<ReadableEndpoint> = {},
	subscription = {},
): Promise<Setting> {
	return createSetting({
		endpoint: {
			...endpoint,
			completion: { ...DEFAULT_COMPLETION, mode: "callback", callbackOrigin: ORIGIN, ...completion },
		},
		subscription,
	});
}

async function post(
	url: string,
	body: string | Uint8Array<ArrayBuffer>,
	headers: Record<string, string> = {},
) {
	const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
	const response = await app.request(url, init, env);
	const { status } = response;
	const text = await response.text();
	const { pathname: path } = new URL(url, ORIGIN);
	assertDescribed({ method: "POST", path, status, contentType: response.headers.get("content-type"), text });
	return { status, body: JSON.parse(text) as Record<string, unknown> };
}

/** A delivery that waits, and the URL that its server was given. */
async function waiting(setting: Setting): Promise<{ id: string; url: string }> {
	const calls = model(() => Response.json({ job: 1 }, { status: 202 }));
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await whenStatus(setting, item.id, "waiting");
	const sent = calls.find(({ deliveryId }) => deliveryId === item.id);
	return { id: item.id, url: sent?.headers.get("sluice-callback-url") ?? "" };
}

test("a 202 makes the delivery wait, and the callback ends it with its body as the output", async () => {
	const setting = await calledBack();
	const { id, url } = await waiting(setting);
	expect(url).toMatch(new RegExp(`^${ORIGIN}/callbacks/${id}/[A-Za-z0-9_-]{43}\\?attempt=1$`));
	const before = await setting.dispatcher.get(id);
	expect(before).toMatchObject({
		status: "waiting",
		nextAttemptAt: null,
		attempts: [{ outcome: "accepted" }],
	});
	expect(before?.deadlineAt).toBeGreaterThan(Date.now() + 3_000_000);

	expect(await post(url, '{"text":"9007199254740993"}')).toEqual({
		status: 200,
		body: { id, effect: "taken" },
	});
	expect(await setting.dispatcher.get(id)).toMatchObject({
		status: "succeeded",
		deadlineAt: null,
		result: { data: { kind: "json", text: '{"text":"9007199254740993"}' } },
		attempts: [{ number: 1, outcome: "accepted", statusCode: 202, job: { by: "callback", outcome: "done" } }],
	});
});

test("the output becomes a result event, published once however often the server calls", async () => {
	const setting = await calledBack({}, {}, { result });
	const { id, url } = await waiting(setting);
	const send = vi.spyOn(env.EVENTS, "send");
	const sendBatch = vi.spyOn(env.EVENTS, "sendBatch");
	const effects = await Promise.all([post(url, '{"a":1}'), post(url, '{"a":2}'), post(url, '{"a":3}')]);
	expect(effects.map(({ status }) => status)).toEqual([200, 200, 200]);
	expect(effects.map(({ body }) => body["effect"]).filter((effect) => effect === "taken")).toHaveLength(1);
	expect(await post(url, '{"a":4}')).toMatchObject({ status: 200, body: { effect: "none" } });
	const delivery = await whenStatus(setting, id, "succeeded");
	expect(delivery.resultEventId).toMatch(/^evt_/);
	expect(delivery.result?.data).toEqual({ kind: "json", text: '{"a":1}' });
	expect(send.mock.calls.length + sendBatch.mock.calls.length).toBe(1);
});

test("a callback that comes before the response to its request counts, and the request is not sent again", async () => {
	const setting = await calledBack();
	let mayRespond = false;
	const calls = model(async () => {
		await until(() => mayRespond);
		return new Response("{}", { status: 202 });
	});
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await until(() => calls.length === 1);
	const url = calls[0]?.headers.get("sluice-callback-url") ?? "";
	expect(await post(url, '"early"')).toMatchObject({ status: 200, body: { effect: "taken" } });
	// Written already: a crash now loses nothing.
	await runInDurableObject(setting.dispatcher, (_, { storage }) => {
		const [row] = storage.sql.exec("SELECT status FROM deliveries WHERE id = ?", item.id).toArray();
		expect(row).toEqual({ status: "succeeded" });
	});
	mayRespond = true;
	const delivery = await whenStatus(setting, item.id, "succeeded");
	expect(delivery.result?.data).toEqual({ kind: "json", text: '"early"' });
	await vi.waitFor(async () => {
		const { attempts = [] } = (await setting.dispatcher.get(item.id)) ?? {};
		expect(attempts).toMatchObject([
			{ number: 1, statusCode: 202, job: { by: "callback", outcome: "done" } },
		]);
	});
	await runAlarm(setting);
	expect(calls).toHaveLength(1);
});

test("a failure that comes before the response spends the attempt, and the response does not make it wait", async () => {
	const setting = await calledBack();
	let mayRespond = false;
	const calls = model(async () => {
		await until(() => mayRespond);
		return new Response("{}", { status: 202 });
	});
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await until(() => calls.length === 1);
	const url = calls[0]?.headers.get("sluice-callback-url") ?? "";
	expect(await post(url, '{"error":"out of memory"}', { [STATUS_HEADER]: "500" })).toMatchObject({
		body: { effect: "taken" },
	});
	mayRespond = true;
	const delivery = await whenTried(setting, item.id);
	expect(delivery).toMatchObject({
		status: "pending",
		attempts: [{ number: 1, outcome: "accepted", job: { outcome: "error" } }],
	});
	expect(delivery.nextAttemptAt).toBeGreaterThan(Date.now() + 30_000);
});

test.each([
	["500", "pending"],
	["422", "dead"],
])("a callback with status %s ends the attempt as such a response would: %s", async (status, becomes) => {
	const setting = await calledBack();
	const { id, url } = await waiting(setting);
	expect(await post(url, "{}", { [STATUS_HEADER]: status })).toMatchObject({ body: { effect: "taken" } });
	expect(await setting.dispatcher.get(id)).toMatchObject({ status: becomes, result: null });
});

function tokenIn(url: string): string {
	return /[^/]+$/.exec(new URL(url).pathname)?.[0] ?? "none";
}

test("without the token of its own delivery nothing is found, and nothing changes", async () => {
	const setting = await calledBack();
	const [one, other] = [await waiting(setting), await waiting(setting)];
	const token = tokenIn(one.url);
	const wrong = [
		other.url.replace(tokenIn(other.url), token),
		one.url.replace(token, token.slice(0, -1)),
		one.url.replace(token, "A".repeat(43)),
		`${ORIGIN}/callbacks/dlv_unknown/${token}`,
		`${ORIGIN}/callbacks/${"x".repeat(5_000)}/${token}`,
	];
	for (const url of wrong) {
		expect(await post(url, "{}")).toMatchObject({ status: 404, body: { code: "callback_not_found" } });
	}
	expect(await setting.dispatcher.get(other.id)).toMatchObject({ status: "waiting" });
	expect(await post(one.url, "{}", { [STATUS_HEADER]: "42" })).toMatchObject({ status: 400 });
});

test("where the endpoint has a webhook secret, a callback has to be signed with it as well", async () => {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	const setting = await calledBack({ webhookSecret: secret });
	const { id, url } = await waiting(setting);
	expect(await post(url, "{}")).toMatchObject({ status: 401, body: { code: "callback_unsigned" } });
	const now = new Date();
	const signature = new Webhook(secret).sign("msg_1", now, "{}");
	const headers = {
		"webhook-id": "msg_1",
		"webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
		"webhook-signature": signature,
	};
	expect(await post(url, '{"a":1}', headers)).toMatchObject({ status: 401 });
	expect(await setting.dispatcher.get(id)).toMatchObject({ status: "waiting" });
	expect(await post(url, "{}", headers)).toMatchObject({ status: 200, body: { effect: "taken" } });
});

test("a callback that is too large ends the job: there is no result, and the model is not asked again", async () => {
	const setting = await calledBack();
	const { id, url } = await waiting(setting);
	expect(await post(url, JSON.stringify("x".repeat(1_048_576)))).toMatchObject({ body: { effect: "taken" } });
	expect(await setting.dispatcher.get(id)).toMatchObject({ status: "succeeded", resultOmitted: "too_large" });
});

test("where its output is to become an event, the delivery is dead, and says how large is too large", async () => {
	const setting = await calledBack({}, {}, { result });
	const { id, url } = await waiting(setting);
	expect(await post(url, JSON.stringify("x".repeat(1_048_576)))).toMatchObject({ body: { effect: "taken" } });
	const delivery = await setting.dispatcher.get(id);
	expect(delivery).toMatchObject({ status: "dead", reason: "too_large" });
	expect(delivery?.detail).toContain("larger than 1048576 bytes");
	expect(delivery?.attempts[0]?.job?.error).toContain("too_large");
});

describe("a callback that is compressed", () => {
	const text = JSON.stringify({ text: "fi" });
	const secret = `whsec_${Buffer.from("a-secret-of-the-provider").toString("base64")}`;
	const cut = gzipSync(text).subarray(0, 15);

	test.each<[string, Uint8Array<ArrayBuffer>]>([
		["gzip", new Uint8Array(gzipSync(text))],
		["br", new Uint8Array(brotliCompressSync(text))],
		["Deflate", new Uint8Array(deflateSync(text))],
		["gzip, br", new Uint8Array(brotliCompressSync(gzipSync(text)))],
		["identity", new Uint8Array(Buffer.from(text))],
	])("with %s is decoded, and a signature is one of its content", async (coding, body) => {
		const setting = await calledBack({ webhookSecret: secret });
		const { id, url } = await waiting(setting);
		const at = new Date();
		const headers = {
			"content-encoding": coding,
			"webhook-id": "msg_1",
			"webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
			"webhook-signature": new Webhook(secret).sign("msg_1", at, text),
		};
		expect(await post(url, body, headers)).toMatchObject({ status: 200, body: { effect: "taken" } });
		expect(await setting.dispatcher.get(id)).toMatchObject({ result: { data: { kind: "json", text } } });
	});

	test.each<[string, string, Uint8Array<ArrayBuffer>, object]>([
		["unknown", "zstd", new Uint8Array(4), { status: 415, body: { code: "unsupported_content_encoding" } }],
		["wrong", "gzip", new Uint8Array(4), { status: 415, body: { code: "unsupported_content_encoding" } }],
		["cut off", "gzip", new Uint8Array(cut), { status: 400, body: { code: "body_incomplete" } }],
	])("and is %s is refused, and the job goes on", async (_, coding, body, refused) => {
		const setting = await calledBack();
		const { id, url } = await waiting(setting);
		expect(await post(url, body, { "content-encoding": coding })).toMatchObject(refused);
		expect(await setting.dispatcher.get(id)).toMatchObject({ status: "waiting" });
	});

	test("to little from much is an output that is too large", async () => {
		const setting = await calledBack();
		const { id, url } = await waiting(setting);
		const bomb = new Uint8Array(gzipSync(Buffer.alloc(50_000_000)));
		expect(await post(url, bomb, { "content-encoding": "gzip" })).toMatchObject({
			body: { effect: "taken" },
		});
		expect(await setting.dispatcher.get(id)).toMatchObject({
			status: "succeeded",
			resultOmitted: "too_large",
		});
	});
});

test("a deadline that passes spends an attempt, and the last one ends the delivery", async () => {
	const retry = {
		scheduleSeconds: [60],
		busyMaxWaitSeconds: 0,
		coldStartSeconds: 0,
		statuses: [],
		busyStatuses: [],
	};
	const setting = await calledBack({ deadlineSeconds: 100 }, { retry });
	const { id, url } = await waiting(setting);
	const clock = vi.spyOn(Date, "now");
	const start = Date.now();
	clock.mockReturnValue(start + 101_000);
	await runAlarm(setting);
	const tried = await whenStatus(setting, id, "pending");
	expect(tried.attempts).toMatchObject([{ outcome: "accepted", job: { by: "deadline", outcome: "error" } }]);
	clock.mockReturnValue(start + 200_000);
	await runAlarm(setting);
	await whenStatus(setting, id, "waiting");
	clock.mockReturnValue(start + 301_000);
	await runAlarm(setting);
	const dead = await whenStatus(setting, id, "dead");
	expect(dead).toMatchObject({ reason: "deadline", attempts: [{ number: 1 }, { number: 2 }] });
	expect(dead.detail).toContain("did not arrive by");
	expect(await post(url, "{}")).toMatchObject({ status: 200, body: { effect: "none" } });
});

test("after a cancel the callback has no effect", async () => {
	const setting = await calledBack();
	const { id, url } = await waiting(setting);
	expect(await setting.dispatcher.cancel(id)).toMatchObject({ ok: true, delivery: { status: "canceled" } });
	expect(await post(url, "{}")).toMatchObject({ status: 200, body: { effect: "none" } });
});

test("jobs take slots where the endpoint says so, and each callback lets the next one go", async () => {
	const setting = await calledBack({ holdSlot: true }, { maxConcurrency: 2 });
	const calls = model(() => new Response("", { status: 202 }));
	const items = [incoming(setting), incoming(setting), incoming(setting), incoming(setting)];
	await setting.dispatcher.enqueue(items);
	await until(() => calls.length === 2);
	await vi.waitFor(async () => {
		const { items: list } = await setting.dispatcher.list({ status: "waiting", limit: 10 });
		expect(list).toHaveLength(2);
	});
	await runAlarm(setting);
	expect(calls).toHaveLength(2);
	expect(await setting.dispatcher.blocked()).toMatchObject({ blockedBy: "capacity", blockedUntil: null });
	// What takes the slots is known after an eviction as well.
	await evictDurableObject(setting.dispatcher);
	await runAlarm(setting);
	expect(calls).toHaveLength(2);
	expect(await post(calls[0]?.headers.get("sluice-callback-url") ?? "", "{}")).toMatchObject({ status: 200 });
	await until(() => calls.length === 3);
	expect(calls).toHaveLength(3);
});

test("while 1,000 deliveries wait, nothing keeps the object: it is evicted, and one alarm is for the deadline", async () => {
	const setting = await calledBack({ deadlineSeconds: 7_200 }, { maxConcurrency: 100 });
	const calls = model(() => new Response("", { status: 202 }));
	const items = Array.from({ length: 1_000 }, () => incoming(setting));
	for (let at = 0; at < items.length; at += 100) await setting.dispatcher.enqueue(items.slice(at, at + 100));
	await vi.waitFor(async () => {
		const waits = await runInDurableObject(setting.dispatcher, (_, { storage }) =>
			storage.sql.exec("SELECT count(*) AS n FROM deliveries WHERE status = 'accepted'").one(),
		);
		expect(waits).toEqual({ n: 1_000 });
	});
	// The alarms that stood behind the exchanges have gone off, and none but the deadline's is left.
	await runAlarm(setting);
	await vi.waitFor(async () => {
		const alarm = await runInDurableObject(setting.dispatcher, (_, { storage }) => storage.getAlarm());
		if (alarm !== null && alarm < Date.now() + 3_600_000) await runAlarm(setting);
		expect(alarm).toBeGreaterThan(Date.now() + 3_600_000);
	});
	await evictDurableObject(setting.dispatcher);
	expect(calls).toHaveLength(1_000);
	const last = calls.at(-1);
	expect(await post(last?.headers.get("sluice-callback-url") ?? "", '"late"')).toMatchObject({
		body: { effect: "taken" },
	});
	expect(await setting.dispatcher.get(last?.deliveryId ?? "")).toMatchObject({ status: "succeeded" });
	expect(calls).toHaveLength(1_000);
});

test("a callback of an attempt that had failed counts as well, and the model is not asked again", async () => {
	const setting = await calledBack();
	const calls = model(() => new Response("", { status: 500 }));
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await whenTried(setting, item.id);
	const url = calls[0]?.headers.get("sluice-callback-url") ?? "";
	expect(await post(url, '"late, and good"')).toMatchObject({ body: { effect: "taken" } });
	await setting.dispatcher.retry(item.id);
	expect(await whenStatus(setting, item.id, "succeeded")).toMatchObject({
		result: { data: { text: '"late, and good"' } },
		attempts: [{ number: 1, outcome: "error", job: { by: "callback", outcome: "done" } }],
	});
	expect(calls).toHaveLength(1);
});

test("the failure of a job that an earlier attempt began says nothing of the one that runs", async () => {
	const setting = await calledBack(
		{},
		{ protocol: "replicate", url: "https://api.example.com", model: "a/b" },
	);
	const calls = model(() => Response.json({ id: "p2", status: "starting" }, { status: 201 }));
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await whenStatus(setting, item.id, "waiting");
	const url = calls[0]?.headers.get("sluice-callback-url") ?? "";
	const failed = { status: "failed", error: "out of memory" };
	expect(await post(url, JSON.stringify({ id: "p1", ...failed }))).toMatchObject({
		body: { effect: "none" },
	});
	expect(await setting.dispatcher.get(item.id)).toMatchObject({ status: "waiting" });
	expect(await post(url, JSON.stringify({ id: "p2", ...failed }))).toMatchObject({
		body: { effect: "taken" },
	});
	expect(await setting.dispatcher.get(item.id)).toMatchObject({ status: "pending" });
});

test("a callback URL echoed by an endpoint is masked", async () => {
	const setting = await calledBack();
	const calls = model(({ headers }) =>
		Response.json({ webhook: headers.get("sluice-callback-url") }, { status: 202 }),
	);
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	const delivery = await whenStatus(setting, item.id, "waiting");
	const token = tokenIn(calls[0]?.headers.get("sluice-callback-url") ?? "");
	expect(token).toHaveLength(43);
	expect(delivery.attempts[0]?.excerpt).toContain("/callbacks/");
	expect(JSON.stringify(delivery)).not.toContain(token);
});
