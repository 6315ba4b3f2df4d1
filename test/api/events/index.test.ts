import { env } from "cloudflare:workers";
import { createExecutionContext } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import { app } from "../../../src/app.ts";
import { findEvent } from "../../../src/events/log/find.ts";
import { eventLog } from "../../../src/objects/clients.ts";
import type { SluiceEvent } from "../../../src/events/event.ts";
import { eventId, logOf, newId, resultEventId } from "../../../src/events/ids.ts";
import { ORIGIN, type Resource, ask, badPaths, must, readIds } from "../client.ts";

interface Explained extends Resource {
	unmatched: { subscription_id: string; criterion: string; verdict: string; reason: string }[];
}

let count = 0;
const unique = (name: string) => `${name}-${++count}`;

/** The event once it has come through the queue. */
async function stored(id: string): Promise<Resource> {
	return vi.waitUntil(async () => {
		const { status, body } = await ask("GET", `/v1/events/${id}`);
		return status === 200 ? body : null;
	});
}

/** Events in the log of a source, as if routed, one of each type; returns their ids. */
async function append(sourceId: string, types: readonly string[]): Promise<string[]> {
	const entries = types.map((type) => {
		const attributes = { id: unique("e"), source: "/t", type };
		const event: SluiceEvent = {
			id: eventId(sourceId, attributes),
			sourceId,
			receivedAt: Date.now(),
			attributes,
			data: { kind: "json", text: '{"large":"payload"}' },
		};
		return { event, decisions: [] };
	});
	await eventLog(env, sourceId).append(entries);
	return entries.map(({ event }) => event.id);
}

async function listIds(query: string): Promise<string[]> {
	return (await readIds(`/v1/events?${query}`)).ids;
}

describe("publishing", () => {
	test("plain JSON: a type is enough", async () => {
		const type = unique("scan.created");
		const { status, body } = await ask("POST", "/v1/events", { type });
		expect(status).toBe(202);
		expect(body).toEqual({ id: expect.stringMatching(/^evt_[0-9a-z]{22}api$/) });
		expect(await stored(body.id)).toEqual({
			id: body.id,
			source: "api",
			source_id: "src_api",
			type,
			subject: null,
			received_at: expect.stringMatching(/Z$/),
			cloudevent: {
				specversion: "1.0",
				id: expect.any(String),
				source: "/sources/api",
				type,
				time: expect.any(String),
			},
			matched: [],
		});
	});

	test("plain JSON in ASCII, whatever the sender calls it", async () => {
		for (const charset of ["iso-8859-1", "windows-1252", "us-ascii"]) {
			const type = `application/json; charset=${charset}`;
			expect((await ask("POST", "/v1/events", { type: "t" }, { "content-type": type })).status).toBe(202);
		}
	});

	test("plain JSON: every field is an attribute, and data keeps its text", async () => {
		const data = '{"z":1, "a":9007199254740993,"n":1.10}';
		const fields = `"type":"row","source":"/db","subject":"s/1","id":"${unique("row")}","time":"2026-11-01T00:00:00Z","dataschema":"https://example.com/s"`;
		const { body } = await ask("POST", "/v1/events", `{${fields},"data":${data}}`);
		await stored(body.id);
		const { text } = await ask("GET", `/v1/events/${body.id}`);
		expect(text).toContain(`"data":${data}`);
		expect(JSON.parse(text)).toMatchObject({
			subject: "s/1",
			cloudevent: JSON.parse(`{${fields}}`) as object,
		});
	});

	test("structured, batch and binary CloudEvents", async () => {
		const event = { specversion: "1.0", source: "/t", type: "t" };
		const structured = await ask(
			"POST",
			"/v1/events",
			{ ...event, id: unique("s") },
			{ "content-type": "application/cloudevents+json" },
		);
		expect(structured).toMatchObject({ status: 202, body: { id: expect.stringMatching(/^evt_/) } });
		const two = [
			{ ...event, id: unique("b") },
			{ ...event, id: unique("b") },
		];
		const batch = await ask("POST", "/v1/events", two, {
			"content-type": "application/cloudevents-batch+json",
		});
		expect(batch.body["ids"]).toEqual([expect.stringMatching(/^evt_/), expect.stringMatching(/^evt_/)]);
		const headers = {
			"ce-specversion": "1.0",
			"ce-id": unique("n"),
			"ce-source": "/t",
			"ce-type": "t",
			"content-type": "text/plain",
		};
		const binary = await ask("POST", "/v1/events", "hello", headers);
		expect(await stored(binary.body.id)).toMatchObject({ type: "t", data: "hello" });
	});

	test("bytes come back as base64", async () => {
		const fields = { specversion: "1.0", source: "/t", type: "t", id: unique("bytes"), data_base64: "AAH/" };
		const { body } = await ask("POST", "/v1/events", fields, {
			"content-type": "application/cloudevents+json",
		});
		expect(await stored(body.id)).toMatchObject({ data_base64: "AAH/" });
	});

	test("the same id, or the same Idempotency-Key, is the same event", async () => {
		const key = unique("key");
		const first = await ask("POST", "/v1/events", { type: "t", data: 1 }, { "idempotency-key": key });
		const second = await ask("POST", "/v1/events", { type: "t", data: 1 }, { "idempotency-key": key });
		const named = await ask("POST", "/v1/events", { type: "t", id: key });
		expect([second.body, named.body]).toEqual([first.body, first.body]);
		const own = await ask("POST", "/v1/events", { type: "t", id: unique("own") }, { "idempotency-key": key });
		expect(own.body).not.toEqual(first.body);
	});

	test("an Idempotency-Key that is no UTF-8 is refused, unless the event has an id of its own", async () => {
		const key = { "idempotency-key": "caf\uFFFD" };
		const refused = await ask("POST", "/v1/events", { type: "t" }, key);
		expect(refused).toMatchObject({ status: 400, body: { code: "invalid_header" } });
		expect(badPaths(refused)).toEqual(["idempotency-key"]);
		expect((await ask("POST", "/v1/events", { type: "t", id: unique("own") }, key)).status).toBe(202);
	});

	test("plain JSON belongs to the trace of its request", async () => {
		const trace = {
			traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
			tracestate: "a=1",
		};
		const { body } = await ask("POST", "/v1/events", { type: "t", id: unique("traced") }, trace);
		expect(await stored(body.id)).toMatchObject({ cloudevent: trace });
	});

	test("the router's own attributes cannot be set", async () => {
		const event = {
			specversion: "1.0",
			source: "/t",
			type: "t",
			id: unique("forged"),
			sluicehops: 3,
			colour: "red",
		};
		const { body } = await ask("POST", "/v1/events", event, {
			"content-type": "application/cloudevents+json",
		});
		const { cloudevent } = await stored(body.id);
		expect(cloudevent).toMatchObject({ colour: "red" });
		expect(cloudevent).not.toHaveProperty("sluicehops");
	});

	test.each([
		["no type", { data: 1 }, 422, "type"],
		["an unknown field", { type: "t", payload: 1 }, 422, "payload"],
		["a type that is none", { type: 1 }, 422, "type"],
		["an empty type", { type: "" }, 400, "type"],
		["a time that is none", { type: "t", time: "now" }, 400, "time"],
	])("%s is refused", async (_, body, status, path) => {
		const answer = await ask("POST", "/v1/events", body);
		expect(answer.status).toBe(status);
		expect(badPaths(answer)).toEqual([path]);
	});

	test.each([
		["half a body", '{"type":', {}, 400, "invalid_json"],
		[
			"more than ASCII in Latin-1",
			'{"type":"é"}',
			{ "content-type": "application/json; charset=iso-8859-1" },
			415,
			"unsupported_media_type",
		],
		[
			"a form",
			"type=t",
			{ "content-type": "application/x-www-form-urlencoded" },
			415,
			"unsupported_media_type",
		],
		[
			"a CloudEvent without id",
			"{}",
			{ "content-type": "application/cloudevents+json" },
			400,
			"invalid_cloudevent",
		],
		["too much", `{"type":"t","data":"${"x".repeat(1_048_576)}"}`, {}, 413, "body_too_large"],
	])("%s is refused", async (_, body, headers, status, code) => {
		expect(await ask("POST", "/v1/events", body, headers)).toMatchObject({ status, body: { code } });
	});

	test("a refusal by the queue is returned to the publisher", async () => {
		const full = {
			send: () => Promise.reject(new Error("Storage Limit Exceeded")),
		} as unknown as Queue<string>;
		const request = new Request(`${ORIGIN}/v1/events`, {
			method: "POST",
			headers: { authorization: "Bearer test-token", "content-type": "application/json" },
			body: '{"type":"t"}',
		});
		const response = await app.fetch(request, { ...env, EVENTS: full }, createExecutionContext());
		expect(response.status).toBe(503);
		expect(response.headers.get("retry-after")).toMatch(/^\d+$/);
		expect(await response.json()).toMatchObject({ code: "queue_unavailable" });
	});
});

describe("reading events", () => {
	test("of one source, by id and by name, newest first and without data", async () => {
		const source = await must("POST", "/v1/sources", { name: unique("db") });
		const ids = await append(source.id, ["a", "b", "c"]);
		expect(await listIds(`source=${source.name}`)).toEqual(ids.toReversed());
		expect(await listIds(`source=${source.id}`)).toEqual(ids.toReversed());
		const { text, body } = await ask("GET", `/v1/events?source=${source.id}`);
		expect(text).not.toContain("payload");
		expect(body["data"]).toMatchObject([{ source: source.name, type: "c" }, {}, {}]);
	});

	test("of results: out of sixteen logs and the one of release 0.1, as one list", async () => {
		const prefix = unique("answers");
		const made: SluiceEvent[] = [];
		for (let round = 0; round < 30; round++) {
			const attributes = { id: unique("e"), source: "/t", type: `${prefix}.${round}` };
			const id =
				round % 3 === 0
					? eventId("src_results", attributes)
					: resultEventId({ endpointId: newId("ep"), deliveryId: attributes.id });
			const event = { id, sourceId: "src_results", receivedAt: Date.now(), attributes, data: null };
			await eventLog(env, logOf(event)).append([{ event, decisions: [] }]);
			made.push(event);
		}
		const ids = made.map(({ id }) => id);
		for (const source of ["source=results&", "source=src_results&", ""]) {
			const path = `/v1/events?${source}type=${prefix}.*&limit=7`;
			const { ids: seen, more } = await readIds(path, 6);
			expect(more).toBe(false);
			expect(seen.toSorted()).toEqual(ids.toSorted());
		}
		for (const id of ids) {
			expect(await ask("GET", `/v1/events/${id}`)).toMatchObject({
				status: 200,
				body: { id, source: "results", source_id: "src_results" },
			});
		}
	});

	test("a result is asked for in one log only, unless it is not there", async () => {
		const [here, gone] = [newId("ep"), newId("ep")].map((endpointId) =>
			resultEventId({ endpointId, deliveryId: "dlv_1" }),
		) as [string, string];
		const attributes = { id: "1", source: "/t", type: "t" };
		const event = { id: here, sourceId: "src_results", receivedAt: 1, attributes, data: null };
		await eventLog(env, logOf(event)).append([{ event, decisions: [] }]);
		const logs = vi.spyOn(env.EVENT_LOG, "get");
		expect((await findEvent(env, here))?.event.id).toBe(here);
		expect(logs).toHaveBeenCalledTimes(1);
		expect(await findEvent(env, gone)).toBeNull();
		expect(logs).toHaveBeenCalledTimes(3);
		logs.mockRestore();
	});

	test("a result that a router of release 0.1 has kept, whatever its id says, is found and listed", async () => {
		const type = unique("rolled-back");
		const id = resultEventId({ endpointId: newId("ep"), deliveryId: type });
		const attributes = { id: "1", source: "/t", type };
		const event = { id, sourceId: "src_results", receivedAt: 1, attributes, data: null };
		await eventLog(env, "src_results").append([{ event, decisions: [] }]);
		expect((await ask("GET", `/v1/events/${id}`)).status).toBe(200);
		expect(await listIds(`type=${type}`)).toEqual([id]);
	});

	test("of all sources as one list, page by page", async () => {
		const prefix = unique("merged");
		const sources = [
			await must("POST", "/v1/sources", { name: unique("db") }),
			await must("POST", "/v1/sources", { name: unique("db") }),
		];
		const made: string[] = [];
		for (let round = 0; round < 3; round++) {
			for (const { id } of sources) made.push(...(await append(id, [`${prefix}.${round}`])));
		}
		made.push(...(await append("src_api", [`${prefix}.api`])));
		const { ids: seen, more } = await readIds(`/v1/events?type=${prefix}.*&limit=2`, 4);
		expect(more).toBe(false);
		expect(new Set(seen)).toEqual(new Set(made));
		expect(seen).toHaveLength(made.length);
	});

	test("by type and by time", async () => {
		const { id } = await must("POST", "/v1/sources", { name: unique("db") });
		const [scan, row] = await append(id, ["scan.created", "row.created"]);
		expect(await listIds(`source=${id}&type=scan.created`)).toEqual([scan]);
		expect(await listIds(`source=${id}&type=row.*`)).toEqual([row]);
		expect(await listIds(`source=${id}&since=2999-01-01T00:00:00Z`)).toEqual([]);
		expect(await listIds(`source=${id}&until=2999-01-01T00:00:00Z`)).toHaveLength(2);
		expect(await listIds(`source=${id}&until=2020-01-01T00:00:00Z`)).toEqual([]);
	});

	test.each([
		["since=yesterday", "since"],
		["until=2026-11-01", "until"],
		["type=a*b", "type"],
		["source=nobody", "source"],
		["status=dead", "status"],
		["limit=0", "limit"],
	])("?%s is refused by name", async (query, path) => {
		const answer = await ask("GET", `/v1/events?${query}`);
		expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
		expect(badPaths(answer)).toEqual([path]);
	});

	test.each(["evt_0", "nothing", `evt_${"0".repeat(22)}api`])("%s is 404", async (id) => {
		expect(await ask("GET", `/v1/events/${id}`)).toMatchObject({
			status: 404,
			body: { code: "event_not_found" },
		});
	});

	test("one is there right after its 202", async () => {
		const { body } = await ask("POST", "/v1/events", { type: unique("at-once") });
		expect((await ask("GET", `/v1/events/${body.id}`)).status).toBe(200);
		const { body: second } = await ask("POST", "/v1/events", { type: unique("at-once") });
		expect((await ask("GET", `/v1/events/${second.id}/trace`)).status).toBe(200);
	});

	test("one that may be in the queue is not routed yet, and not forgotten", async () => {
		vi.spyOn(env.EVENTS, "metrics").mockResolvedValue({ backlogCount: 3, backlogBytes: 100 });
		const id = `evt_${"1".repeat(22)}api`;
		const answer = await ask("GET", `/v1/events/${id}`);
		expect(answer).toMatchObject({ status: 404, body: { code: "event_not_routed" } });
		expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
		expect(await ask("GET", "/v1/events/nothing")).toMatchObject({ body: { code: "event_not_found" } });
		vi.restoreAllMocks();
	});

	test("explained: why the other subscriptions did not match", async () => {
		await must("POST", "/v1/endpoints", { name: "explained", url: "https://models.example.com/" });
		const subscription = await must("POST", "/v1/subscriptions", { endpoint: "explained", types: ["other"] });
		const { body } = await ask("POST", "/v1/events", { type: unique("explained") });
		await stored(body.id);
		expect(await must("GET", `/v1/events/${body.id}?explain=true`)).toMatchObject({
			unmatched: [
				{
					subscription_id: subscription.id,
					subscription: subscription.name,
					reason: expect.stringContaining("type"),
				},
			],
		});
	});

	test("explained: a filter that could not be evaluated has failed, and one that is false has not", async () => {
		await must("POST", "/v1/endpoints", { name: "failing", url: "https://models.example.com/" });
		const type = unique("failing");
		const filters = {
			error: [{ jsonata: "data.size + 'x' > 1" }],
			inside: [{ all: [{ exact: { type } }, { jsonata: "$error('not this one')" }] }],
			fail: [{ jsonata: "data.size > 10" }],
		};
		const ids = new Map<string, string>();
		for (const [name, list] of Object.entries(filters)) {
			const { id } = await must("POST", "/v1/subscriptions", {
				endpoint: "failing",
				types: [type],
				filters: list,
			});
			ids.set(name, id);
		}
		const { body } = await ask("POST", "/v1/events", { type, data: { size: 5 } });
		await stored(body.id);
		const { unmatched } = await must<Explained>("GET", `/v1/events/${body.id}?explain=true`);
		const of = (name: string) => unmatched.find(({ subscription_id: id }) => id === ids.get(name));
		expect(of("error")).toMatchObject({
			criterion: "filters.0",
			verdict: "error",
			reason: expect.stringMatching(/^filter failed: filters\.0\.jsonata: .+/),
		});
		expect(of("inside")).toMatchObject({
			verdict: "error",
			reason: expect.stringMatching(/^filter failed: filters\.0\.all\.1\.jsonata: .*not this one/),
		});
		expect(of("fail")).toMatchObject({
			verdict: "fail",
			reason: 'filter does not hold: {"jsonata":"data.size > 10"}',
		});
	});

	test("explained: which source a subscription listens to, and which one the event is of", async () => {
		await must("POST", "/v1/endpoints", { name: "listening", url: "https://models.example.com/" });
		const source = await must("POST", "/v1/sources", { name: "listened-db" });
		const { id } = await must("POST", "/v1/subscriptions", { endpoint: "listening", source: source.name });
		const [result = ""] = await append("src_results", [unique("output")]);
		const { body } = await ask("POST", "/v1/events", { type: unique("of-api") });
		await stored(body.id);
		const reasonOf = async (event: string) => {
			const { unmatched } = await must<Explained>("GET", `/v1/events/${event}?explain=true`);
			return unmatched.find((one) => one.subscription_id === id)?.reason;
		};
		expect(await reasonOf(body.id)).toBe(
			"it listens to source listened-db, but this event is from source api",
		);
		expect(await reasonOf(result)).toMatch(
			/^it listens to source listened-db, but this event is from source results: .*"source": "results", or null/,
		);
	});
});
