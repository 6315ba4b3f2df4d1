import { env } from "cloudflare:workers";
import { afterEach, beforeAll, expect, type MockInstance, test, vi } from "vitest";
import type { Decision, SluiceEvent } from "../../src/events/event.ts";
import { deliveryId, eventId, newId } from "../../src/events/ids.ts";
import { dispatcher, eventLog } from "../../src/objects/clients.ts";
import { insertEndpoint } from "../../src/store/resources/endpoints.ts";
import { insertSource } from "../../src/store/resources/sources.ts";
import { insertSubscription } from "../../src/store/resources/subscriptions.ts";
import { makeSource } from "../sources/make-source.ts";
import { anEndpoint, aSubscription } from "../store/records.ts";
import { must, type Page } from "./client.ts";

const COUNT = 70;
const SUBSCRIBED = 5;
const events: string[] = [];
const deliveries: string[] = [];
/** Of the endpoints that are the oldest, but have subscriptions. */
let likely: string[] = [];
let event: SluiceEvent;

beforeAll(async () => {
	const attributes = { id: "1", source: "/t", type: "t" };
	event = { id: eventId("src_api", attributes), sourceId: "src_api", receivedAt: 1, attributes, data: null };
	const decisions: Decision[] = [];
	for (let index = 0; index < COUNT; index++) {
		const source = makeSource({ createdAt: index, updatedAt: index });
		await insertSource(env, source);
		const id = eventId(source.id, attributes);
		await eventLog(env, source.id).append([{ event: { ...event, id, sourceId: source.id }, decisions: [] }]);
		events.push(id);
		const endpoint = anEndpoint({ status: "paused", createdAt: index, updatedAt: index });
		await insertEndpoint(env, endpoint);
		if (index < SUBSCRIBED)
			await insertSubscription(env, aSubscription({ target: { endpointId: endpoint.id } }));
		const subscriptionId = newId("sub");
		const decision = {
			deliveryId: deliveryId({ eventId: event.id, subscriptionId, endpointId: endpoint.id }),
			subscriptionId,
			subscriptionName: "s",
			endpointId: endpoint.id,
			endpointRef: "e@1",
		};
		await dispatcher(env, endpoint.id).enqueue([{ event, decisions: [decision] }]);
		decisions.push(decision);
	}
	deliveries.push(...decisions.map((decision) => decision.deliveryId));
	likely = deliveries.slice(0, SUBSCRIBED);
	await eventLog(env, "src_api").append([{ event, decisions }]);
	events.push(event.id);
});
afterEach(() => {
	vi.restoreAllMocks();
});

/** The ids of each page, and how many objects it took. */
async function readPages(path: string, objects: MockInstance): Promise<{ ids: string[]; asked: number }[]> {
	const pages: { ids: string[]; asked: number }[] = [];
	let cursor: string | null = "";
	while (cursor !== null) {
		objects.mockClear();
		const page: Page = await must("GET", cursor === "" ? path : `${path}&cursor=${cursor}`);
		const asked = new Set(objects.mock.calls.map(([id]) => String(id))).size;
		pages.push({ ids: page.data.map(({ id }) => id), asked });
		cursor = page.next_cursor;
	}
	return pages;
}

test.each([8, 200])(
	"deliveries of 70 endpoints, %i a page, take at most 50 objects a page",
	async (limit) => {
		const pages = await readPages(`/v1/deliveries?limit=${limit}`, vi.spyOn(env.DISPATCHER, "get"));
		expect(pages.flatMap(({ ids }) => ids).toSorted()).toEqual(deliveries.toSorted());
		expect(Math.max(...pages.map(({ asked }) => asked))).toBe(50);
	},
);

test("those of endpoints that events can come to are on the first pages", async () => {
	const [first] = await readPages("/v1/deliveries?limit=200", vi.spyOn(env.DISPATCHER, "get"));
	for (const id of likely) expect(first?.ids).toContain(id);
});

test("deliveries of one event to 70 endpoints take at most 50 objects a page too", async () => {
	const pages = await readPages(`/v1/deliveries?event=${event.id}&limit=30`, vi.spyOn(env.DISPATCHER, "get"));
	expect(pages.flatMap(({ ids }) => ids).toSorted()).toEqual(deliveries.toSorted());
	expect(Math.max(...pages.map(({ asked }) => asked))).toBe(50);
});

test.each([8, 200])("events of 70 sources, %i a page, take at most 50 objects a page", async (limit) => {
	const pages = await readPages(`/v1/events?limit=${limit}`, vi.spyOn(env.EVENT_LOG, "get"));
	expect(pages.flatMap(({ ids }) => ids).toSorted()).toEqual(events.toSorted());
	expect(Math.max(...pages.map(({ asked }) => asked))).toBe(50);
	// Those of the builtin sources come with the first.
	expect(pages[0]?.ids).toContain(event.id);
});
