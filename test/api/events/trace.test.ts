import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import {
	MAX_DEPTH,
	MAX_NODES,
	traceFrom,
	type EventNode,
	type TraceReader,
} from "../../../src/api/events/trace.ts";
import { eventsOf, traceToWire } from "../../../src/api/events/trace-wire.ts";
import type { DeliveryRecord } from "../../../src/delivery/records.ts";
import type { Decision, SluiceEvent } from "../../../src/events/event.ts";
import { resultEventId, logOf } from "../../../src/events/ids.ts";
import type { LogEntry } from "../../../src/events/log/entry.ts";
import { eventLog } from "../../../src/objects/clients.ts";
import { createSetting, incoming, model, whenStatus } from "../../delivery/dispatcher.fixtures.ts";
import { ask, must } from "../client.ts";

const id = (name: string) => `evt_${name.padEnd(22, "0")}api`;

function entryOf(name: string, deliveries: readonly string[], attributes: object = {}): LogEntry {
	const event: SluiceEvent = {
		id: id(name),
		sourceId: "src_api",
		receivedAt: 1_000,
		attributes: { id: name, source: "/t", type: `t.${name}`, ...attributes },
		data: { kind: "text", text: "a payload" },
	};
	return { position: 1, event, decisions: deliveries.map(decisionOf) };
}

function decisionOf(name: string): Decision {
	return {
		deliveryId: `dlv_${name}`,
		subscriptionId: "sub_1",
		subscriptionName: "one",
		endpointId: "ep_1",
		endpointRef: "m@1",
	};
}

function recordOf(name: string, more: Partial<DeliveryRecord> = {}): DeliveryRecord {
	return {
		position: 1,
		id: `dlv_${name}`,
		eventId: "",
		subscriptionId: "sub_1",
		subscriptionName: "one",
		endpointId: "ep_1",
		endpointRef: "m@1",
		status: "succeeded",
		reason: null,
		detail: null,
		attempts: [
			{ number: 3, at: 1_030, durationMs: 5, statusCode: 200, outcome: "done", error: null, excerpt: null },
		],
		nextAttemptAt: null,
		deadlineAt: null,
		blockedBy: null,
		blockedUntil: null,
		createdAt: 1_010,
		finishedAt: 1_100,
		result: { data: { kind: "text", text: "an output" }, contentType: "text/plain" },
		resultOmitted: null,
		resultEventId: null,
		...more,
	};
}

/** Reads what is there; notes the calls, and how many are under way at once. */
function world(
	events: LogEntry[],
	deliveries: DeliveryRecord[],
): TraceReader & { calls: string[]; most: number } {
	let underWay = 0;
	const read = async <T>(asked: string, found: T | undefined): Promise<T | null> => {
		reader.calls.push(asked);
		underWay += 1;
		reader.most = Math.max(reader.most, underWay);
		await Promise.resolve();
		underWay -= 1;
		if (asked.includes("broken")) throw new Error("the object is overloaded");
		return found ?? null;
	};
	const reader = {
		calls: [] as string[],
		most: 0,
		event: (asked: string) =>
			read(
				asked,
				events.find(({ event }) => event.id === asked),
			),
		delivery: ({ deliveryId }: Decision) =>
			read(
				deliveryId,
				deliveries.find((delivery) => delivery.id === deliveryId),
			),
	};
	return reader;
}

/** `a(x(b))`: event a has delivery x, whose result is event b. */
function shape({ id: eventId, event, deliveries, omitted }: EventNode): string {
	const name = eventId.slice(4, -3).replace(/0+$/, "");
	const children = deliveries.map(({ decision, delivery, resultEvent, isCut }) => {
		const below = resultEvent === null ? "" : `(${shape(resultEvent)})`;
		const lost = typeof delivery === "string" ? `!${delivery}` : "";
		return `${decision.deliveryId.slice(4)}${lost}${isCut ? "…" : ""}${below}`;
	});
	if (omitted > 0) children.push(`+${omitted}`);
	const lost = typeof event === "string" ? `!${event}` : "";
	return `${name}${lost}${children.length > 0 ? `(${children.join(" ")})` : ""}`;
}

const names = (count: number) => Array.from({ length: count }, (_, at) => `d${at}`);
const withResult = (name: string) => recordOf(name, { resultEventId: id(`r${name.slice(1)}`) });

async function wire(first: LogEntry, events: LogEntry[] = [], deliveries: DeliveryRecord[] = []) {
	return traceToWire(await traceFrom(first, world(events, deliveries)), new Map([["src_api", "api"]]));
}

describe("the tree", () => {
	test("of an event that went nowhere is the event", async () => {
		const reader = world([], []);
		expect(shape(await traceFrom(entryOf("a", []), reader))).toBe("a");
		expect(reader.calls).toEqual([]);
	});

	test("goes from event to deliveries to their results", async () => {
		const events = [entryOf("b", ["z"]), entryOf("c", [])];
		const deliveries = [
			recordOf("x", { resultEventId: id("b") }),
			recordOf("y", { status: "dead", reason: "exhausted" }),
			recordOf("z", { resultEventId: id("c") }),
		];
		const root = await traceFrom(entryOf("a", ["x", "y"]), world(events, deliveries));
		expect(shape(root)).toBe("a(x(b(z(c))) y)");
	});

	test("says of each part what could not be read, and has the rest", async () => {
		const events = [entryOf("b", ["broken", "gone"])];
		const deliveries = [
			recordOf("x", { resultEventId: id("b") }),
			recordOf("y", { resultEventId: id("broken") }),
			recordOf("z", { resultEventId: id("queued") }),
		];
		const root = await traceFrom(entryOf("a", ["x", "y", "z"]), world(events, deliveries));
		expect(shape(root)).toBe(
			"a(x(b(broken!unavailable gone!not_found)) y(broken!unavailable) z(queued!not_found))",
		);
	});

	test("keeps neither payloads nor results", async () => {
		const events = [entryOf("b", [])];
		const root = await traceFrom(
			entryOf("a", ["x"]),
			world(events, [recordOf("x", { resultEventId: id("b") })]),
		);
		expect(JSON.stringify(root)).not.toMatch(/a payload|an output/);
	});

	test("asks a few objects at once", async () => {
		const names = Array.from({ length: 40 }, (_, at) => `d${at}`);
		const reader = world(
			[],
			names.map((name) => recordOf(name)),
		);
		await traceFrom(entryOf("a", names), reader);
		expect(reader.calls).toHaveLength(40);
		expect(reader.most).toBeGreaterThan(1);
		expect(reader.most).toBeLessThanOrEqual(6);
	});
});

describe("trees that are too large for one trace", () => {
	test("deliveries of one event", async () => {
		const reader = world(
			[],
			names(600).map((name) => recordOf(name)),
		);
		const root = await traceFrom(entryOf("a", names(600)), reader);
		expect(root.deliveries).toHaveLength(MAX_NODES - 1);
		expect(root.omitted).toBe(600 - (MAX_NODES - 1));
		expect(reader.calls).toHaveLength(MAX_NODES - 1);
		expect(traceToWire(root, new Map())).toMatchObject({
			truncated: true,
			finished_at: null,
			event: { continued_at: `/v1/deliveries?event=${id("a")}` },
		});
	});

	test("results of many deliveries: those that are near come first", async () => {
		const events = names(300).map((name) => entryOf(`r${name.slice(1)}`, []));
		const reader = world(events, names(300).map(withResult));
		const root = await traceFrom(entryOf("a", names(300)), reader);
		const shown = root.deliveries.filter(({ resultEvent }) => resultEvent !== null);
		expect(shown).toHaveLength(MAX_NODES - 301);
		expect(eventsOf(root).length + root.deliveries.length).toBe(MAX_NODES);
		const cut = root.deliveries.find(({ isCut }) => isCut);
		expect(cut?.resultEvent).toBeNull();
		const { event } = traceToWire(root, new Map()) as { event: { deliveries: { continued_at: unknown }[] } };
		expect(event.deliveries.at(-1)?.continued_at).toBe(`/v1/events/${id("r299")}/trace`);
	});

	test("deliveries of a result: its own trace has room for them", async () => {
		const events = names(100).map((name) => entryOf(`r${name.slice(1)}`, names(4)));
		const root = await traceFrom(entryOf("a", names(100)), world(events, names(100).map(withResult)));
		const { event } = traceToWire(root, new Map()) as {
			event: { deliveries: { result_event: { continued_at: unknown } }[] };
		};
		expect(event.deliveries.at(-1)?.result_event.continued_at).toBe(`/v1/events/${id("r99")}/trace`);
	});

	test("a chain of results", async () => {
		const long = MAX_DEPTH + 10;
		const events = names(long).map((_, at) => entryOf(`r${at}`, [`d${at + 1}`]));
		const root = await traceFrom(entryOf("a", ["d0"]), world(events, names(long + 1).map(withResult)));
		expect(eventsOf(root)).toHaveLength(MAX_DEPTH + 1);
		expect(traceToWire(root, new Map())).toMatchObject({ truncated: true });
	});
});

describe("on the wire", () => {
	test("times are given for each delivery and for the whole trace", async () => {
		const first = entryOf("a", ["x", "y"]);
		const y = recordOf("y", { finishedAt: 1_250 });
		const told = await wire(first, [entryOf("b", [])], [recordOf("x", { resultEventId: id("b") }), y]);
		expect(told).toMatchObject({
			event_id: id("a"),
			root_event_id: id("a"),
			cause_event_id: null,
			event_count: 2,
			delivery_count: 2,
			truncated: false,
			received_at: "1970-01-01T00:00:01.000Z",
			finished_at: "1970-01-01T00:00:01.250Z",
			duration_ms: 250,
			event: {
				id: id("a"),
				error: null,
				source: "api",
				type: "t.a",
				continued_at: null,
				deliveries: [
					{
						id: "dlv_x",
						error: null,
						subscription: "one",
						endpoint: "m@1",
						status: "succeeded",
						attempt_count: 3,
						created_at: "1970-01-01T00:00:01.010Z",
						wait_ms: 20,
						duration_ms: 90,
						result_event_id: id("b"),
						result_event: { id: id("b"), type: "t.b", deliveries: [] },
						continued_at: null,
					},
					{ id: "dlv_y", result_event: null },
				],
			},
		});
	});

	test("a delivery that is owed says what it waits for, and until when", async () => {
		const owed = { finishedAt: null, attempts: [] };
		const told = await wire(
			entryOf("a", ["x", "y", "z"]),
			[],
			[
				recordOf("x", {
					...owed,
					status: "pending",
					blockedBy: "hold",
					blockedUntil: 5_000,
					nextAttemptAt: 5_000,
				}),
				recordOf("y", { ...owed, status: "pending", blockedBy: "paused" }),
				recordOf("z", { ...owed, status: "waiting", deadlineAt: 9_000 }),
			],
		);
		const none = { blocked_by: null, blocked_until: null, next_attempt_at: null, deadline_at: null };
		const at = "1970-01-01T00:00:05.000Z";
		expect(told).toMatchObject({
			event: {
				deliveries: [
					{ ...none, blocked_by: "hold", blocked_until: at, next_attempt_at: at },
					{ ...none, blocked_by: "paused" },
					{ ...none, deadline_at: "1970-01-01T00:00:09.000Z" },
				],
			},
		});
		for (const records of [[recordOf("x")], []]) {
			expect(await wire(entryOf("a", ["x"]), [], records)).toMatchObject({ event: { deliveries: [none] } });
		}
	});

	test("a tree in which something is owed, or unknown, has not ended", async () => {
		const first = entryOf("a", ["x"]);
		const pending = recordOf("x", { status: "pending", finishedAt: null, attempts: [] });
		expect(await wire(first, [], [pending])).toMatchObject({
			duration_ms: null,
			event: { deliveries: [{ wait_ms: null, duration_ms: null, attempt_count: 0 }] },
		});
		const lost = await wire(first);
		expect(lost).toMatchObject({
			duration_ms: null,
			event: { deliveries: [{ error: "not_found", status: null, endpoint: "m@1" }] },
		});
		expect(await wire(first, [], [recordOf("x", { resultEventId: id("b") })])).toMatchObject({
			duration_ms: null,
			event: { deliveries: [{ result_event: { id: id("b"), error: "not_found", type: null } }] },
		});
	});

	test.each([
		["a publisher's event is its own root", { correlationid: id("other") }, id("a"), null],
		[
			"a result's is its correlation",
			{ sluicehops: 2, correlationid: id("r"), causationid: id("c") },
			id("r"),
			id("c"),
		],
		[
			"a correlation of the publisher's own names none",
			{ sluicehops: 2, correlationid: "order-7", causationid: id("c") },
			null,
			id("c"),
		],
		[
			"but the cause of a first result is its root",
			{ sluicehops: 1, correlationid: "order-7", causationid: id("c") },
			id("c"),
			id("c"),
		],
	])("%s", async (_what, attributes, root, cause) => {
		expect(await wire(entryOf("a", [], attributes))).toMatchObject({
			root_event_id: root,
			cause_event_id: cause,
		});
	});
});

describe("GET /v1/events/{id}/trace", () => {
	test("from the logs and dispatchers as they are", async () => {
		const setting = await createSetting({
			subscription: { result: { type: "t.done", transform: null, maxHops: 8, allowCycles: false } },
		});
		model(() => new Response("done"));
		const { event, decisions, id: deliveryId } = incoming(setting);
		await eventLog(env, event.sourceId).append([{ event, decisions }]);
		await setting.dispatcher.enqueue([{ event, decisions }]);
		await whenStatus(setting, deliveryId, "succeeded");
		vi.restoreAllMocks();
		const resultId = resultEventId({ endpointId: setting.endpoint.id, deliveryId });
		await vi.waitFor(async () => {
			const trace = await must("GET", `/v1/events/${event.id}/trace`);
			expect(trace).toMatchObject({
				event_count: 2,
				delivery_count: 1,
				duration_ms: expect.any(Number),
				event: {
					deliveries: [
						{
							id: deliveryId,
							status: "succeeded",
							result_event: { id: resultId, source: "results", type: "t.done", error: null },
						},
					],
				},
			});
		});
		expect(await must("GET", `/v1/events/${resultId}/trace`)).toMatchObject({
			event_id: resultId,
			root_event_id: event.id,
			cause_event_id: event.id,
			event: { deliveries: [] },
		});
		expect(logOf({ id: resultId, sourceId: "src_results" })).toMatch(/^src_results/);
	});

	test("of what is not in a log is 404, and it takes no parameters", async () => {
		for (const unknown of [id("nobody"), "nothing"]) {
			expect(await ask("GET", `/v1/events/${unknown}/trace`)).toMatchObject({
				status: 404,
				body: { code: "event_not_found" },
			});
		}
		expect(await ask("GET", `/v1/events/${id("a")}/trace?depth=3`)).toMatchObject({
			status: 400,
			body: { code: "invalid_query" },
		});
	});
});
