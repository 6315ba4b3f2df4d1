import { env } from "cloudflare:workers";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { findSetAside } from "../../../src/events/expressions/quarantine.ts";
import type { SluiceEvent } from "../../../src/events/event.ts";
import { eventLog } from "../../../src/objects/clients.ts";
import { findSubscription } from "../../../src/store/resources/subscriptions.ts";
import { createSetting, incoming, model, whenStatus } from "../../delivery/dispatcher.fixtures.ts";
import { type Answer, type Resource, ask, badPaths, must } from "../client.ts";

const HOSTILE = "($f := function($n) { $f($n + 1) }; $f(0))";

interface Preview extends Resource {
	matches: boolean;
	criteria: { criterion: string; verdict: string; reason: string | null }[];
	input: unknown;
	event: { id: string; source: string; source_id: string; cloudevent: Record<string, unknown> };
	targets: {
		endpoint: string;
		error: { reason: string | null; detail: string } | null;
		request: { method: string; url: string; headers: Record<string, string>; body?: string } | null;
	}[];
}

let endpoint: Resource;
let source: Resource;
let calls: ReturnType<typeof model>;

beforeAll(async () => {
	endpoint = await must("POST", "/v1/endpoints", {
		name: "previewed",
		url: "https://models.example.com/read?k=v",
		auth: { type: "header", name: "x-caller", value: "a-credential-of-its-own" },
		headers: { "x-api-key": "another-credential", "x-plain": "plain" },
	});
	source = await must("POST", "/v1/sources", { name: "previewed-db" });
});

afterEach(() => {
	vi.restoreAllMocks();
});

async function preview(body: unknown): Promise<Preview> {
	calls = model(() => new Response("called"));
	const answer = await must<Preview>("POST", "/v1/subscriptions/preview", body);
	expect(calls).toEqual([]);
	return answer;
}

const verdicts = ({ criteria }: Preview) =>
	criteria.map(({ criterion, verdict }) => `${criterion} ${verdict}`);

const event = { type: "scan.stored", subject: "scans/1.png", data: { size: 5 } };

describe("whether an event matches", () => {
	test("every criterion is judged, whatever the others say", async () => {
		const told = await preview({
			endpoint: "previewed@1",
			source: "previewed-db",
			types: ["document.*", "row"],
			filters: [
				{ prefix: { subject: "scans/" } },
				{ exact: { subject: "other" } },
				{ jsonata: "data.size < 10" },
				{ jsonata: "data.size" },
				{ jsonata: "data.size + 'x' > 1" },
				{ not: { jsonata: "data.size + 'x' > 1" } },
			],
			status: "paused",
			event,
			event_source: "api",
		});
		expect(verdicts(told)).toEqual([
			"status fail",
			"source fail",
			"types fail",
			"filters.0 pass",
			"filters.1 fail",
			"filters.2 pass",
			"filters.3 fail",
			"filters.4 error",
			"filters.5 pass",
		]);
		expect(told.criteria.map(({ reason }) => reason)).toEqual([
			"the subscription is paused",
			"it listens to source previewed-db, but this event is from source api",
			"type scan.stored matches none of: document.*, row",
			null,
			'filter does not hold: {"exact":{"subject":"other"}}',
			null,
			"filters.3.jsonata: the expression has a value that is neither true nor false",
			expect.stringMatching(/^filters\.4\.jsonata: .+/),
			expect.stringMatching(/^filters\.5\.not\.jsonata: .+/),
		]);
		expect(told.matches).toBe(false);
		// It is shown all the same.
		expect(told.targets).toMatchObject([{ error: null, request: { method: "POST" } }]);
	});

	test("it does when all pass; without a source of its own the event comes from the subscription's", async () => {
		const draft = { endpoint: "previewed@1", source: "previewed-db", types: ["scan.*"] };
		const told = await preview({ ...draft, event });
		expect(told).toMatchObject({
			subscription_id: null,
			subscription: null,
			matches: true,
			refused: null,
			event: {
				source: "previewed-db",
				source_id: source.id,
				is_source_assumed: true,
				cloudevent: { specversion: "1.0", source: "/sources/previewed-db", subject: "scans/1.png" },
			},
		});
		const named = await preview({ ...draft, event, event_source: source.name });
		expect(named).toMatchObject({ matches: true, event: { is_source_assumed: false } });
		expect(await preview({ endpoint: "previewed@1", event })).toMatchObject({
			matches: true,
			event: { source: "api", is_source_assumed: false },
		});
	});

	test("an event of a test source is marked as it would be, and reaches only subscriptions that name the source", async () => {
		await must("POST", "/v1/sources", { name: "previewed-test", test: true });
		const event = { type: "scan.created", data: {} };
		const marked = { event: { cloudevent: { sluicetest: true } } };
		const named = { endpoint: "previewed@1", source: "previewed-test", event };
		expect(await preview(named)).toMatchObject({ matches: true, ...marked });
		const every = { endpoint: "previewed@1", event_source: "previewed-test", event };
		expect(await preview(every)).toMatchObject({
			matches: false,
			criteria: [{}, { criterion: "source", verdict: "fail" }, {}],
			...marked,
		});
	});

	test("an event that would go round says how its delivery would end", async () => {
		const attributes = { id: "back", source: "/t", type: "t", sluicehops: 9, sluicechain: "sub_1" };
		const back: SluiceEvent = {
			id: `evt_${"b".repeat(22)}api`,
			sourceId: "src_api",
			receivedAt: 1,
			attributes,
			data: null,
		};
		await eventLog(env, "src_api").append([{ event: back, decisions: [] }]);
		const told = await preview({ endpoint: "previewed@1", result: {}, event_id: back.id });
		expect(told).toMatchObject({ matches: true, refused: { reason: "loop" }, event: { id: back.id } });
	});
});

describe("the request", () => {
	test("is the one that a delivery sends, with what proves its sender hidden", async () => {
		const setting = await createSetting({
			endpoint: {
				protocol: "kserve-v1",
				model: "iris",
				auth: { type: "bearer", token: "a-token-of-its-own" },
				headers: { "x-plain": "plain" },
			},
			subscription: {
				transform: '{ "instances": [[data.number, 2]], "big": 9007199254740993 }',
				result: { type: "never.published", transform: null, maxHops: 8, allowCycles: false },
			},
		});
		const item = incoming(setting);
		await eventLog(env, item.event.sourceId).append([{ event: item.event, decisions: item.decisions }]);
		const told = await preview({ subscription: setting.subscription.name, event_id: item.event.id });
		const sent = model(() => new Response("{}"));
		await setting.dispatcher.enqueue([item]);
		await whenStatus(setting, item.id, "succeeded");
		const [request] = sent;
		const [shown] = told.targets;
		expect(shown).toMatchObject({
			endpoint_id: setting.endpoint.id,
			error: null,
			request: { method: request?.method, url: request?.url, body: request?.body },
		});
		const headers = Object.fromEntries(request?.headers ?? []);
		const { "webhook-timestamp": _, ...stable } = shown?.request?.headers ?? {};
		const hidden = { authorization: "***", "webhook-signature": "v1,***", "sluice-lineage": "***" };
		expect({ ...headers, ...hidden }).toMatchObject(stable);
		expect(Object.keys(shown?.request?.headers ?? {}).toSorted()).toEqual(Object.keys(headers).toSorted());
		expect(told).toMatchObject({
			subscription_id: setting.subscription.id,
			subscription: setting.subscription.name,
			input: { error: null },
		});
	});

	test("shows no credential", async () => {
		const { text } = await ask("POST", "/v1/subscriptions/preview", { endpoint: "previewed@1", event });
		expect(text).not.toMatch(/credential|whsec_|v1,[^*]/);
		expect(JSON.parse(text)).toMatchObject({
			targets: [
				{
					endpoint: "previewed@1",
					endpoint_id: endpoint.id,
					status: "active",
					request: { headers: { "x-caller": "***", "x-api-key": "***", "x-plain": "plain" } },
				},
			],
		});
	});

	test("numbers keep their digits, and bytes come as base64", async () => {
		const big = '{"n":9007199254740993}';
		const body = `{"endpoint":"previewed@1","transform":"data","event":{"type":"t","data":${big}}}`;
		const { text } = await ask("POST", "/v1/subscriptions/preview", body);
		expect(text).toContain(`"input":{"error":null,"value":${big}}`);
		expect((JSON.parse(text) as Preview).targets[0]?.request?.body).toBe(big);
		await must("POST", "/v1/endpoints", {
			name: "binary",
			url: "https://models.example.com/",
			protocol: "cloudevents",
		});
		const bytes = { type: "t", datacontenttype: "image/png", data_base64: "iVBORw==", colour: "red" };
		expect(await preview({ endpoint: "binary@1", event: bytes })).toMatchObject({
			input: null,
			targets: [{ request: { body_base64: "iVBORw==", headers: { "ce-colour": "red" } } }],
		});
	});

	test.each([
		["fails", "data.size + 'x'", {}, /^The transform failed: /],
		["gives nothing", "data.nothing", {}, /^The transform failed: /],
		["overruns", HOSTILE, {}, /^The transform failed: it is set aside: /],
		["does not fit", "data.size", { protocol: "cog" }, /^The input does not fit protocol cog: /],
	])(
		"a transform that %s is reported as the delivery would report it",
		async (what, transform, fields, detail) => {
			const name = `told-${what.replaceAll(" ", "-")}`;
			await must("POST", "/v1/endpoints", { name, url: "https://models.example.com/", ...fields });
			const draft = { endpoint: `${name}@1`, transform };
			const told = await preview({ ...draft, event });
			expect(told.targets).toMatchObject([
				{ request: null, error: { reason: "transform_failed", detail: expect.stringMatching(detail) } },
			]);
			// What really comes of it.
			const subscription = await must("POST", "/v1/subscriptions", { ...draft, types: [`${name}.made`] });
			const { body } = await ask("POST", "/v1/events", { ...event, type: `${name}.made` });
			const dead = await vi.waitUntil(async () => {
				const found = await must<{ data: Resource[] }>("GET", `/v1/deliveries?event=${body.id}`);
				return found.data.find((delivery) => delivery["status"] === "dead");
			});
			expect(told.targets[0]?.error).toEqual({ reason: dead["reason"], detail: dead["detail"] });
			await must("DELETE", `/v1/subscriptions/${subscription.id}`);
		},
	);

	test("a paused endpoint is shown as such, one of many versions as the latest", async () => {
		for (const version of ["1", "2"]) {
			await must("POST", "/v1/endpoints", { name: "versions", version, url: "https://models.example.com/" });
		}
		await must("POST", "/v1/endpoints/versions@2/pause");
		const latest = await preview({ endpoint: "versions@latest", event });
		expect(latest.targets).toMatchObject([{ endpoint: "versions@1", status: "active" }]);
		const paused = await preview({ endpoint: "versions@2", event });
		expect(paused.targets).toMatchObject([{ status: "paused", status_reason: "manual", error: null }]);
	});
});

async function countSubscriptions(): Promise<number | undefined> {
	const sql = "SELECT count(*) AS count FROM subscriptions";
	return (await env.DB.prepare(sql).first<{ count: number }>())?.count;
}

describe("a preview stores nothing", () => {
	test("no subscription, event or delivery", async () => {
		const send = vi.spyOn(env.EVENTS, "send");
		const before = await countSubscriptions();
		const told = await preview({ name: "never-stored", endpoint: "previewed@1", event });
		expect(told["subscription"]).toBe("never-stored");
		expect(await countSubscriptions()).toBe(before);
		expect(send).not.toHaveBeenCalled();
		expect((await ask("GET", `/v1/events/${told.event.id}`)).status).toBe(404);
	});

	test("no expression of a stored subscription is set aside", async () => {
		const { name } = await must("POST", "/v1/subscriptions", {
			endpoint: "previewed@1",
			types: ["never.published"],
			filters: [{ jsonata: HOSTILE }, { not: { jsonata: HOSTILE } }],
			transform: HOSTILE,
		});
		const told = await preview({ subscription: name, event });
		expect(verdicts(told).slice(3)).toEqual(["filters.0 error", "filters.1 error"]);
		const stored = await findSubscription(env, name);
		if (stored === null) throw new Error("the subscription is gone");
		expect(stored.quarantine).toBeNull();
		expect([findSetAside(stored, "filters."), findSetAside(stored, "transform")]).toEqual([null, null]);
		expect(await must("GET", `/v1/subscriptions/${name}`)).toMatchObject({ status: "active" });
	});

	test("an expression that is set aside is not evaluated, nor any other filter", async () => {
		const { id } = await must("POST", "/v1/subscriptions", {
			endpoint: "previewed@1",
			types: ["never.published"],
			filters: [{ any: [{ prefix: { type: "scan" } }, { jsonata: "data.a" }] }],
		});
		const quarantine = JSON.stringify({ field: "filters.0.any.1.jsonata", reason: "too slow", at: 1 });
		await env.DB.prepare("UPDATE subscriptions SET quarantine = ? WHERE id = ?").bind(quarantine, id).run();
		const told = await preview({ subscription: id, event: { ...event, type: "never.published" } });
		expect(told.matches).toBe(false);
		expect(told.criteria).toContainEqual({
			criterion: "filters",
			verdict: "error",
			reason: "filters.0.any.1.jsonata is set aside: too slow",
		});
	});

	test("after filters have used up the limit of work, the rest are not evaluated", async () => {
		const filters = Array.from({ length: 8 }, () => ({ jsonata: HOSTILE }));
		const told = await preview({ endpoint: "previewed@1", filters, event });
		expect(told.criteria.at(-1)?.reason).toBe(
			"filters.7.jsonata: not evaluated, because the other expressions have used up the limit of work",
		);
	});
});

describe("refused previews", () => {
	test.each<[string, Record<string, unknown>]>([
		["no target", { types: ["a"] }],
		["two forms of a target", { endpoint: "previewed@1", targets: [{ endpoint: "previewed@1" }] }],
		["an expression that does not compile", { endpoint: "previewed@1", filters: [{ jsonata: "1 +" }] }],
		["an endpoint and a source that are not there", { endpoint: "nobody@1", source: "nowhere" }],
		[
			"a name that is none, and a pattern that is none",
			{ name: "a b", endpoint: "previewed@1", types: ["a*b"] },
		],
	])("a draft with %s, as when it is created", async (_what, draft) => {
		const created = await ask("POST", "/v1/subscriptions", draft);
		const previewed = await ask("POST", "/v1/subscriptions/preview", { ...draft, event });
		expect(created.status).toBe(422);
		expect(previewed).toMatchObject({ status: 422, body: created.body });
	});

	test.each<[string, unknown, number, string, string[]]>([
		["no event", { endpoint: "previewed@1" }, 422, "invalid_request", ["event"]],
		[
			"two events",
			{ endpoint: "previewed@1", event, event_id: "evt_1" },
			422,
			"invalid_request",
			["event_id"],
		],
		["a draft beside a name", { subscription: "x", types: ["a"], event }, 422, "invalid_request", ["types"]],
		["an unknown field", { endpoint: "previewed@1", event, kind: 1 }, 422, "invalid_request", ["kind"]],
		[
			"a source that is none",
			{ endpoint: "previewed@1", event, event_source: "x" },
			422,
			"invalid_request",
			["event_source"],
		],
		[
			"an event without a type",
			{ endpoint: "previewed@1", event: {} },
			400,
			"invalid_cloudevent",
			["event.type"],
		],
		[
			"an event of a bad time",
			{ endpoint: "previewed@1", event: { ...event, time: "now" } },
			400,
			"invalid_cloudevent",
			["event.time"],
		],
		["a subscription that is none", { subscription: "nobody", event }, 404, "subscription_not_found", []],
		["an event that is none", { endpoint: "previewed@1", event_id: "evt_1" }, 404, "event_not_found", []],
	])("%s", async (_what, body, status, code, paths) => {
		const refused: Answer = await ask("POST", "/v1/subscriptions/preview", body);
		expect(refused).toMatchObject({ status, body: { code } });
		expect(badPaths(refused)).toEqual(paths);
	});
});
