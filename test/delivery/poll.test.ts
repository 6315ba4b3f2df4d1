import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { requestReplyJobs } from "../../src/models/jobs/request-reply.ts";
import { deleteSubscription } from "../../src/store/resources/subscriptions.ts";
import { deleteEndpoint, updateEndpoint, findEndpoint } from "../../src/store/resources/endpoints.ts";
import { DEFAULT_COMPLETION } from "../../src/store/resources/endpoint-columns.ts";
import type { ReadableEndpoint } from "../../src/store/records.ts";
import {
	type Call,
	model,
	runAlarm,
	type Setting,
	until,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";
import { begun, createJobSetting, deliver, ORIGIN, replicate } from "./jobs.fixtures.ts";

afterEach(() => vi.restoreAllMocks());

const retry = {
	scheduleSeconds: [60],
	busyMaxWaitSeconds: 3_600,
	coldStartSeconds: 0,
	statuses: [],
	busyStatuses: [],
};

function polled(endpoint: Partial<ReadableEndpoint> = {}, completion = {}): Promise<Setting> {
	return createJobSetting(
		{ retry, url: "https://model.example.com/run", ...endpoint },
		{ mode: "poll", ...completion },
	);
}

/** Takes jobs, and answers the polls after them. */
function server(answer: (poll: Call) => Response): { jobs: Call[]; polls: Call[] } {
	const [jobs, polls]: [Call[], Call[]] = [[], []];
	model((call) => {
		if (call.method === "POST") {
			jobs.push(call);
			return new Response("", { status: 202, headers: { location: `/jobs/${jobs.length}` } });
		}
		polls.push(call);
		return answer(call);
	});
	return { jobs, polls };
}

const running = (headers: Record<string, string> = {}) => new Response("", { status: 202, headers });

/** The clock, so much later than it is. */
function later(ms: number): void {
	const now = Date.now();
	vi.spyOn(Date, "now").mockReturnValue(now + ms);
}

/** Lets time pass until the next poll, and the dispatcher wake for it. */
async function pass(setting: Setting, ms: number, is: () => boolean): Promise<void> {
	later(ms);
	await runAlarm(setting);
	await until(is);
}

test("the server is asked until it has the output, with its credentials and signed, and once after that", async () => {
	const setting = await polled({ auth: { type: "bearer", token: "key-1234567" } });
	const { jobs, polls } = server(() => (polls.length < 3 ? running() : Response.json({ text: "read" })));
	const id = await begun(setting);
	for (let count = 1; count <= 3; count++) {
		await whenStatus(setting, id, "waiting");
		await pass(setting, 70_000, () => polls.length === count);
	}
	expect(await whenStatus(setting, id, "succeeded")).toMatchObject({
		result: { data: { kind: "json", text: '{"text":"read"}' } },
		attempts: [{ number: 1, outcome: "accepted", statusCode: 202, job: { by: "poll", outcome: "done" } }],
	});
	await pass(setting, 70_000, () => true);
	expect(jobs).toHaveLength(1);
	expect(polls.map(({ method, url }) => `${method} ${url}`)).toEqual(
		Array.from({ length: 3 }, () => "GET https://model.example.com/jobs/1"),
	);
	expect(polls[0]?.headers.get("authorization")).toBe("Bearer key-1234567");
	expect(polls[0]?.headers.get("webhook-id")).toBe(id);
	expect(polls[0]?.headers.get("webhook-signature")).toMatch(/^v1,/);
});

test("a poll that is refused, fails or is lost leaves the job as it is, and Retry-After is waited for", async () => {
	const setting = await polled();
	const answers = [
		() => new Response("", { status: 503, headers: { "retry-after": "600" } }),
		() => new Response("", { status: 500 }),
		() => Promise.reject(new TypeError("Network connection lost.")),
		() => Response.json("output"),
	];
	const { polls } = server(() => (answers[polls.length - 1] ?? (() => running()))() as Response);
	const id = await begun(setting);
	await pass(setting, 2_000, () => polls.length === 1);
	await whenStatus(setting, id, "waiting");
	await pass(setting, 300_000, () => true);
	expect(polls).toHaveLength(1);
	await pass(setting, 500_000, () => polls.length === 2);
	await whenStatus(setting, id, "waiting");
	await pass(setting, 70_000, () => polls.length === 3);
	await whenStatus(setting, id, "waiting");
	await pass(setting, 70_000, () => polls.length === 4);
	expect(await whenStatus(setting, id, "succeeded")).toMatchObject({ attempts: [{ number: 1 }] });
});

test("a poll that is refused for its credentials pauses the endpoint, and the job continues once that is fixed", async () => {
	const setting = await polled();
	let isMended = false;
	const { polls } = server(() => (isMended ? Response.json(1) : new Response("", { status: 401 })));
	const id = await begun(setting);
	await pass(setting, 2_000, () => polls.length === 1);
	await vi.waitFor(async () => {
		const row = await env.DB.prepare("SELECT status, status_reason FROM endpoints WHERE id = ?")
			.bind(setting.endpoint.id)
			.first();
		expect(row).toEqual({ status: "paused", status_reason: "unauthorized" });
	});
	isMended = true;
	await pass(setting, 70_000, () => polls.length === 2);
	await whenStatus(setting, id, "succeeded");
});

test("a job that the server has lost costs an attempt, and is started again", async () => {
	const setting = await polled();
	const { jobs, polls } = server(({ url }) =>
		url.endsWith("/1") ? new Response("", { status: 404 }) : Response.json("second"),
	);
	const id = await begun(setting);
	await pass(setting, 2_000, () => polls.length === 1);
	expect(await whenStatus(setting, id, "pending")).toMatchObject({
		attempts: [{ outcome: "accepted", job: { by: "poll", outcome: "error" } }],
	});
	await pass(setting, 80_000, () => jobs.length === 2);
	await whenStatus(setting, id, "waiting");
	await pass(setting, 2_000, () => polls.length === 2);
	expect(await whenStatus(setting, id, "succeeded")).toMatchObject({
		attempts: [{ number: 1 }, { number: 2 }],
	});
});

describe("at the deadline", () => {
	test("the server is asked a last time, also one that was to call back", async () => {
		const setting = await polled(replicate, {
			mode: "callback",
			callbackOrigin: ORIGIN,
			deadlineSeconds: 600,
		});
		const calls = model(({ method }) =>
			method === "POST"
				? Response.json({ id: "p1", status: "starting" }, { status: 201 })
				: Response.json({ id: "p1", status: "succeeded", output: "at last" }),
		);
		const id = await begun(setting);
		await pass(setting, 300_000, () => true);
		expect(calls).toHaveLength(1);
		await pass(setting, 301_000, () => calls.length === 2);
		expect(await whenStatus(setting, id, "succeeded")).toMatchObject({
			result: { data: { text: '"at last"' } },
		});
	});

	test("a job that still runs is canceled at the server, and the attempt is spent", async () => {
		const setting = await polled(replicate, { deadlineSeconds: 600 });
		const calls = model(({ url }) =>
			url.endsWith("/cancel")
				? Response.json({})
				: Response.json({ id: "p1", status: "processing" }, { status: url.endsWith("p1") ? 200 : 201 }),
		);
		const id = await begun(setting);
		await pass(setting, 601_000, () => calls.some(({ url }) => url.endsWith("/cancel")));
		expect(calls.at(-1)).toMatchObject({
			method: "POST",
			url: "https://api.example.com/v1/predictions/p1/cancel",
		});
		expect(await whenStatus(setting, id, "pending")).toMatchObject({
			attempts: [{ job: { by: "deadline" } }],
		});
	});
});

describe("when the endpoint's way to complete changes while a job runs", () => {
	const replicate = { url: "https://api.example.com", model: "a/b", protocol: "replicate" };
	const callbacks = { callbackOrigin: "https://router.example.com", deadlineSeconds: 7_200 };

	async function begunAs(mode: "callback" | "poll") {
		const setting = await polled(replicate, { ...callbacks, mode });
		const calls = model(({ method }) =>
			method === "POST"
				? Response.json({ id: "p1", status: "starting" }, { status: 201 })
				: Response.json({ id: "p1", status: calls.length < 3 ? "processing" : "succeeded", output: "o" }),
		);
		return { setting, calls, id: await begun(setting) };
	}

	async function change({ endpoint, dispatcher }: Setting, mode: "callback" | "poll"): Promise<void> {
		const completion = { ...DEFAULT_COMPLETION, ...callbacks, mode };
		expect((await updateEndpoint(env, endpoint, { completion })).outcome).toBe("updated");
		await dispatcher.refresh({ repaired: true });
	}

	test("from callback to poll, the server is polled from then on", async () => {
		const { setting, calls, id } = await begunAs("callback");
		await change(setting, "poll");
		await until(() => calls.length === 2);
		await whenStatus(setting, id, "waiting");
		await pass(setting, 70_000, () => calls.length === 3);
		await whenStatus(setting, id, "succeeded");
	});

	test("from poll to callback, it is polled as before: it has no URL to call back", async () => {
		const { setting, calls, id } = await begunAs("poll");
		await change(setting, "callback");
		for (let count = 2; count <= 3; count++) {
			await whenStatus(setting, id, "waiting");
			await pass(setting, 70_000, () => calls.length === count);
		}
		await whenStatus(setting, id, "succeeded");
	});

	test("a repair of an endpoint that calls back polls nothing", async () => {
		const { setting, calls, id } = await begunAs("callback");
		await setting.dispatcher.refresh({ repaired: true });
		await pass(setting, 70_000, () => true);
		await whenStatus(setting, id, "waiting");
		expect(calls).toHaveLength(1);
	});
});

test("a cancel reaches the server, which is asked for nothing any more", async () => {
	const setting = await polled(replicate);
	const calls = model(({ url }) =>
		url.endsWith("/cancel")
			? Response.json({})
			: Response.json({ id: "p1", status: "starting" }, { status: 201 }),
	);
	const id = await begun(setting);
	expect(await setting.dispatcher.cancel(id)).toMatchObject({ ok: true });
	await until(() => calls.length === 2);
	expect(calls[1]?.url).toBe("https://api.example.com/v1/predictions/p1/cancel");
	await pass(setting, 70_000, () => true);
	expect(calls).toHaveLength(2);
});

const bearers = (calls: Call[]) => calls.map(({ headers }) => headers.get("authorization"));
const accepts = (token: string, { headers }: Call) => headers.get("authorization") === `Bearer ${token}`;

describe("an access token that is refused", () => {
	let clients = 0;
	/** A server of predictions with a token endpoint; `answer` speaks for what follows the first request. */
	async function authorized(answer: (call: Call) => Response): Promise<{ setting: Setting; later: Call[] }> {
		const auth = {
			type: "oauth2_client_credentials",
			tokenUrl: "https://login.example.com/token",
			clientId: `polling-${++clients}`,
			clientSecret: "a-client-secret",
		} as const;
		let tokens = 0;
		const after: Call[] = [];
		model((call) => {
			if (call.url === auth.tokenUrl)
				return Response.json({ access_token: `token-${++tokens}`, token_type: "Bearer" });
			if (call.method === "POST" && !call.url.endsWith("/cancel"))
				return Response.json({ id: "p1", status: "starting" }, { status: 201 });
			after.push(call);
			return answer(call);
		});
		const endpoint = { url: "https://api.example.com", model: "a/b", protocol: "replicate", auth };
		return { setting: await polled(endpoint), later: after };
	}

	test("is replaced, and the server is polled once more at once", async () => {
		const { setting, later: polls } = await authorized((call) =>
			accepts("token-2", call)
				? Response.json({ id: "p1", status: "succeeded", output: 1 })
				: new Response(null, { status: 401 }),
		);
		const id = await begun(setting);
		await pass(setting, 2_000, () => polls.length === 2);
		await whenStatus(setting, id, "succeeded");
		expect(bearers(polls)).toEqual(["Bearer token-1", "Bearer token-2"]);
	});

	test("twice pauses the endpoint", async () => {
		const { setting, later: polls } = await authorized(() => new Response(null, { status: 401 }));
		await begun(setting);
		await pass(setting, 2_000, () => polls.length === 2);
		await vi.waitFor(async () => {
			expect(await findEndpoint(env, setting.endpoint.id)).toMatchObject({ statusReason: "unauthorized" });
		});
	});

	test("is replaced for a cancel as well", async () => {
		const { setting, later: cancels } = await authorized((call) =>
			accepts("token-2", call) ? Response.json({}) : new Response(null, { status: 401 }),
		);
		const id = await begun(setting);
		expect(await setting.dispatcher.cancel(id)).toMatchObject({ ok: true });
		await until(() => cancels.length === 2);
		expect(bearers(cancels)).toEqual(["Bearer token-1", "Bearer token-2"]);
	});
});

test("a task whose output is had by another request is asked for it, and judged by what that says", async () => {
	const setting = await polled({ url: "https://bento.example.com/read", protocol: "bentoml" });
	const calls = model(({ url }) => {
		const { pathname } = new URL(url);
		if (pathname === "/read/submit") return Response.json({ task_id: "t1", status: "in_progress" });
		if (pathname === "/read/status") return Response.json({ task_id: "t1", status: "failed" });
		return Response.json({ error: "no number" }, { status: 400, headers: { "x-bentoml-request-id": "r1" } });
	});
	const id = await begun(setting);
	await pass(setting, 2_000, () => calls.length === 3);
	expect(await whenStatus(setting, id, "dead")).toMatchObject({
		reason: "rejected",
		attempts: [{ job: { by: "poll", outcome: "bad_input", error: "no number" } }],
	});
});

test("a 202 that does not say where its output is costs an attempt, and says so", async () => {
	const setting = await polled();
	model(() => new Response("", { status: 202 }));
	const { attempts } = await whenTried(setting, await deliver(setting));
	expect(attempts).toMatchObject([{ outcome: "error", statusCode: 202 }]);
	expect(attempts[0]?.error).toContain("no Location");
});

test("the deletion of the endpoint ends what waits, without another request", async () => {
	const setting = await polled();
	const { polls } = server(() => running());
	const id = await begun(setting);
	await env.DB.prepare("DELETE FROM subscriptions WHERE id = ?").bind(setting.subscription.id).run();
	await deleteEndpoint(env, setting.endpoint.id);
	await setting.dispatcher.markDeleted();
	await runAlarm(setting);
	expect(await whenStatus(setting, id, "dead")).toMatchObject({ reason: "deleted" });
	expect(polls).toHaveLength(0);
});

test("an eviction forgets neither the job nor when it is asked for next", async () => {
	const setting = await polled();
	const { polls } = server(() => Response.json("output"));
	const id = await begun(setting);
	await evictDurableObject(setting.dispatcher);
	const alarm = await runInDurableObject(setting.dispatcher, (_, { storage }) => storage.getAlarm());
	expect(alarm).toBeLessThan(Date.now() + 11_000);
	await pass(setting, 2_000, () => polls.length === 1);
	await whenStatus(setting, id, "succeeded");
});

test("a subscription that is deleted while its delivery waits ends it with the next poll, which asks nothing", async () => {
	const setting = await polled(replicate);
	const calls = model(() => Response.json({ id: "p1", status: "starting" }, { status: 201 }));
	const id = await begun(setting);
	await deleteSubscription(env, setting.subscription.id);
	await setting.dispatcher.refresh();
	await pass(setting, 2_000, () => calls.length === 2);
	expect(calls[1]?.url).toBe("https://api.example.com/v1/predictions/p1/cancel");
	expect(await whenStatus(setting, id, "dead")).toMatchObject({ reason: "deleted" });
});

test("a poll that a bug of ours makes fail again and again is bounded by the deadline", async () => {
	const setting = await polled({}, { deadlineSeconds: 600 });
	const { polls } = server(() => running());
	const id = await begun(setting);
	const { poll } = requestReplyJobs;
	if (poll === undefined) throw new Error("a job can be asked for");
	vi.spyOn(poll, "request").mockImplementation(() => {
		throw new Error("a bug");
	});
	await pass(setting, 2_000, () => true);
	await whenStatus(setting, id, "waiting");
	await pass(setting, 601_000, () => true);
	expect(await whenStatus(setting, id, "pending")).toMatchObject({ attempts: [{ job: { by: "deadline" } }] });
	expect(polls).toHaveLength(0);
});
