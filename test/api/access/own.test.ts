/** What is whose: publishers and subscribers see and change what their keys name, and nothing else. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import type { Decision, SluiceEvent } from "../../../src/events/event.ts";
import { deliveryId, eventId, newId } from "../../../src/events/ids.ts";
import { dispatcher, eventLog } from "../../../src/objects/clients.ts";
import { buildOperationalEvent } from "../../../src/operations/event.ts";
import { keyChanged } from "../../../src/operations/occurrence.ts";
import { type Page, type Resource, ask, must } from "../client.ts";
import { type TestKey, askWith, makeKey, namesIn } from "./keys.ts";

const URL = "https://models.example.com/";
let orders: Resource;
let scans: Resource;
let publisher: TestKey;
let subscriber: TestKey;
let viewer: TestKey;
let mine: Resource;
let foreign: Resource;

beforeAll(async () => {
	orders = await must("POST", "/v1/sources", { name: "orders" });
	scans = await must("POST", "/v1/sources", { name: "scans" });
	mine = await must("POST", "/v1/endpoints", { name: "a-ocr", url: URL, status: "paused" });
	foreign = await must("POST", "/v1/endpoints", { name: "b-ocr", url: URL, status: "paused" });
	await must("POST", "/v1/subscriptions", { name: "a-orders", source: "orders", endpoint: "a-ocr" });
	await must("POST", "/v1/subscriptions", { name: "b-orders", source: "orders", endpoint: "b-ocr" });
	await must("POST", "/v1/subscriptions", { name: "b-scans", source: "scans", endpoint: "b-ocr" });
	await must("POST", "/v1/subscriptions", { name: "b-all", endpoint: "b-ocr" });
	publisher = await makeKey({ role: "publisher", sources: ["orders"] });
	subscriber = await makeKey({
		role: "subscriber",
		sources: ["orders"],
		endpoints: ["a-*"],
		subscriptions: ["a-*"],
	});
	viewer = await makeKey({ role: "viewer" });
});

/** An event of a source, routed to the endpoints by the subscriptions with these names; returns all ids. */
async function route(source: Resource, pairs: [endpoint: Resource, subscription: string][]) {
	const attributes = { id: crypto.randomUUID(), source: "/t", type: "t" };
	const id = eventId(source.id, attributes);
	const event: SluiceEvent = { id, sourceId: source.id, receivedAt: Date.now(), attributes, data: null };
	const decisions = await Promise.all(
		pairs.map(async ([endpoint, name]): Promise<Decision> => {
			const { id: subscriptionId } = await must("GET", `/v1/subscriptions/${name}`);
			return {
				deliveryId: deliveryId({ eventId: id, subscriptionId, endpointId: endpoint.id }),
				subscriptionId,
				subscriptionName: name,
				endpointId: endpoint.id,
				endpointRef: `${endpoint.name}@1`,
			};
		}),
	);
	await eventLog(env, source.id).append([{ event, decisions }]);
	for (const decision of decisions) {
		await dispatcher(env, decision.endpointId).enqueue([{ event, decisions: [decision] }]);
	}
	return { event: id, deliveries: decisions.map((decision) => decision.deliveryId) };
}

/** A request with a key, as its status and code. */
async function outcome(key: TestKey, method: string, path: string, body?: unknown): Promise<string> {
	const answer = await askWith(key, method, path, body);
	const { code } = answer.body as { code?: string };
	return code === undefined ? String(answer.status) : `${answer.status} ${code}`;
}

async function idsIn(key: TestKey, path: string): Promise<string[]> {
	const { status, text, body } = await askWith(key, "GET", path);
	if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${text}`);
	return (body["data"] as Resource[]).map(({ id }) => id).sort();
}

describe("a publisher", () => {
	test("sees its sources and the subscriptions to them", async () => {
		expect(await namesIn(publisher, "/v1/sources")).toEqual(["orders"]);
		expect(await namesIn(publisher, "/v1/subscriptions")).toEqual(["a-orders", "b-orders"]);
		expect(await outcome(publisher, "GET", "/v1/sources/orders")).toBe("200");
		expect(await outcome(publisher, "GET", "/v1/sources/orders/setup")).toBe("200");
		expect(await outcome(publisher, "GET", `/v1/sources/${scans.id}`)).toBe("403 forbidden");
		expect(await outcome(publisher, "GET", "/v1/sources/nobody")).toBe("404 source_not_found");
		expect(await outcome(publisher, "GET", "/v1/subscriptions/b-orders")).toBe("200");
		expect(await outcome(publisher, "GET", "/v1/subscriptions/b-scans")).toBe("403 forbidden");
		expect(await outcome(publisher, "GET", "/v1/subscriptions/b-all")).toBe("403 forbidden");
	});

	test("changes nothing", async () => {
		expect(await outcome(publisher, "PATCH", "/v1/sources/orders", {})).toBe("403 forbidden");
		expect(await outcome(publisher, "POST", "/v1/sources/orders/secret/rotate")).toBe("403 forbidden");
	});

	test("publishes, and sends samples of its sources", async () => {
		expect(await outcome(publisher, "POST", "/v1/events", { type: "t" })).toBe("202");
		expect(await outcome(publisher, "POST", "/v1/sources/orders/test")).toBe("200");
		expect(await outcome(publisher, "POST", "/v1/sources/scans/test")).toBe("403 forbidden");
	});

	test("sees the events of its sources, and which of its subscriptions did not match", async () => {
		const [own, other] = [await route(orders, [[foreign, "b-orders"]]), await route(scans, [])];
		expect(await idsIn(publisher, "/v1/events")).toContain(own.event);
		expect(await idsIn(publisher, "/v1/events")).not.toContain(other.event);
		expect(await idsIn(publisher, "/v1/events?source=orders")).toContain(own.event);
		expect(await outcome(publisher, "GET", "/v1/events?source=scans")).toBe("403 forbidden");
		expect(await outcome(publisher, "GET", `/v1/events?source=${scans.id}`)).toBe("403 forbidden");
		expect(await outcome(publisher, "GET", "/v1/events?source=api")).toBe("403 forbidden");
		expect(await outcome(publisher, "GET", `/v1/events/${own.event}`)).toBe("200");
		expect(await outcome(publisher, "GET", `/v1/events/${other.event}`)).toBe("403 forbidden");
		expect(await outcome(publisher, "GET", "/v1/events/nothing")).toBe("404 event_not_found");
		await must("POST", "/v1/subscriptions/b-orders/pause");
		const { body } = await askWith(publisher, "GET", `/v1/events/${own.event}?explain=true`);
		const unmatched = (body["unmatched"] as { subscription: string }[]).map(
			({ subscription }) => subscription,
		);
		expect(unmatched).toEqual(["b-orders"]);
		await must("POST", "/v1/subscriptions/b-orders/resume");
	});

	test("with the built-in source of results sees results, and with * everything", async () => {
		const results = await makeKey({ role: "publisher", sources: ["results"] });
		expect(await outcome(results, "GET", "/v1/events")).toBe("200");
		expect(await outcome(results, "GET", "/v1/events?source=results")).toBe("200");
		const all = await makeKey({ role: "publisher", sources: ["*"] });
		expect(await namesIn(all, "/v1/sources")).toEqual(["orders", "scans"]);
		expect(await namesIn(all, "/v1/subscriptions")).toContain("b-all");
		expect(await outcome(all, "GET", "/v1/subscriptions/b-all")).toBe("200");
		expect(await outcome(all, "GET", "/v1/events?source=scans")).toBe("200");
	});

	test("with * sees no subscription to what the router says of itself, and no event of a deleted source", async () => {
		await must("PUT", "/v1/subscriptions/b-operator", { source: "sluice", endpoint: "b-ocr" });
		const gone = await must("POST", "/v1/sources", { name: "gone" });
		const { event } = await route(gone, []);
		const seen = await route(orders, []);
		await must("DELETE", "/v1/sources/gone");
		const all = await makeKey({ role: "publisher", sources: ["*"] });
		expect(await namesIn(all, "/v1/subscriptions")).not.toContain("b-operator");
		expect(await namesIn(all, "/v1/subscriptions?source=sluice")).toEqual([]);
		expect(await outcome(all, "GET", "/v1/subscriptions/b-operator")).toBe("403 forbidden");
		expect(await outcome(all, "POST", "/v1/subscriptions/b-operator/deny")).toBe("403 forbidden");
		const { text } = await askWith(all, "GET", `/v1/events/${seen.event}?explain=true`);
		expect(text).toContain("b-scans");
		expect(text).not.toContain("b-operator");
		const operator = await makeKey({ role: "publisher", sources: ["*", "sluice"] });
		expect(await namesIn(operator, "/v1/subscriptions?source=sluice")).toEqual(["b-operator"]);
		for (const key of [all, publisher]) {
			expect(await outcome(key, "GET", `/v1/events/${event}`)).toBe("404 event_not_found");
			expect(await outcome(key, "GET", `/v1/events?source=${gone.id}`)).toBe("400 invalid_query");
			expect(await outcome(key, "GET", "/v1/events?source=src_1111111111")).toBe("400 invalid_query");
		}
		// A name may look like an id, and the key of such a name is for no other source.
		const odd = await makeKey({ role: "publisher", sources: [gone.id] });
		expect(await outcome(odd, "GET", `/v1/events?source=${gone.id}`)).toBe("400 invalid_query");
		expect(await idsIn(viewer, `/v1/events?source=${gone.id}`)).toEqual([event]);
	});

	test("sees operational events only with a key that names their source", async () => {
		const key = { id: newId("key"), name: "told", role: null };
		const event = buildOperationalEvent(keyChanged("created", key, key), 0, Date.now());
		await eventLog(env, "src_sluice").append([{ event, decisions: [] }], true);
		const all = await makeKey({ role: "publisher", sources: ["*"] });
		expect(await outcome(all, "GET", "/v1/events?source=sluice")).toBe("403 forbidden");
		expect(await outcome(all, "GET", `/v1/events/${event.id}`)).toBe("403 forbidden");
		expect(await idsSeenBy(all)).not.toContain(event.id);
		const operator = await makeKey({ role: "publisher", sources: ["sluice"] });
		expect(await outcome(operator, "GET", "/v1/events?source=sluice")).toBe("200");
		expect(await outcome(operator, "GET", `/v1/events/${event.id}`)).toBe("200");
		expect(await idsSeenBy(operator)).toContain(event.id);
		expect(await idsSeenBy(viewer)).toContain(event.id);
	});
});

async function idsSeenBy(key: TestKey): Promise<string[]> {
	const answer = await askWith(key, "GET", "/v1/events?limit=200");
	return (answer.body as unknown as Page).data.map(({ id }) => id);
}

describe("a subscriber", () => {
	test("sees every source, and its own endpoints and subscriptions", async () => {
		expect(await namesIn(subscriber, "/v1/sources")).toEqual(["orders", "scans"]);
		expect(await namesIn(subscriber, "/v1/endpoints")).toEqual(["a-ocr"]);
		expect(await namesIn(subscriber, "/v1/subscriptions")).toEqual(["a-orders"]);
		expect(await outcome(subscriber, "GET", "/v1/endpoints/a-ocr@1")).toBe("200");
		for (const ref of ["b-ocr", "b-ocr@1", foreign.id]) {
			expect(await outcome(subscriber, "GET", `/v1/endpoints/${ref}`)).toBe("403 forbidden");
		}
		expect(await outcome(subscriber, "GET", "/v1/events")).toBe("403 forbidden");
	});

	test("makes and changes what its key names", async () => {
		const endpoint = { name: "a-new", url: URL };
		expect(await outcome(subscriber, "POST", "/v1/endpoints", endpoint)).toBe("201");
		expect(await outcome(subscriber, "PATCH", "/v1/endpoints/a-new", { max_concurrency: 2 })).toBe("200");
		expect(await outcome(subscriber, "POST", "/v1/endpoints/a-new/secret/rotate")).toBe("200");
		const subscription = { name: "a-new", source: "orders", endpoint: "a-new" };
		expect(await outcome(subscriber, "POST", "/v1/subscriptions", subscription)).toBe("201");
		expect(await outcome(subscriber, "PATCH", "/v1/subscriptions/a-new", { types: ["x"] })).toBe("200");
		expect(await outcome(subscriber, "POST", "/v1/subscriptions/a-new/pause")).toBe("200");
		expect(await outcome(subscriber, "POST", "/v1/subscriptions/a-new/resume")).toBe("200");
		expect(await outcome(subscriber, "DELETE", "/v1/subscriptions/a-new")).toBe("204");
		expect(await outcome(subscriber, "DELETE", "/v1/endpoints/a-new")).toBe("204");
	});

	test.each([
		["an endpoint of another name", "POST", "/v1/endpoints", { name: "b-new", url: URL }],
		["a change of another's endpoint", "PATCH", "/v1/endpoints/b-ocr", { max_concurrency: 1 }],
		["another's secret", "POST", "/v1/endpoints/b-ocr/secret/rotate", {}],
		["the end of another's endpoint", "DELETE", "/v1/endpoints/b-ocr@1", undefined],
		["a subscription of another name", "POST", "/v1/subscriptions", { name: "b-x", endpoint: "a-ocr" }],
		["a subscription with a made name", "POST", "/v1/subscriptions", { endpoint: "a-ocr" }],
		["a subscription to another's endpoint", "POST", "/v1/subscriptions", { name: "a-x", endpoint: "b-ocr" }],
		["a new name", "PATCH", "/v1/subscriptions/a-orders", { name: "b-x" }],
		["another's endpoint as the target", "PATCH", "/v1/subscriptions/a-orders", { endpoint: "b-ocr@1" }],
		["a change of another's subscription", "PATCH", "/v1/subscriptions/b-orders", { types: [] }],
		["another's subscription to go on", "POST", "/v1/subscriptions/b-scans/resume", {}],
		["a grant", "POST", "/v1/subscriptions/a-orders/grant", {}],
	])("is refused %s", async (_, method, path, body) => {
		expect(await outcome(subscriber, method, path, body)).toBe("403 forbidden");
	});

	test("cannot end what was lost with the database", async () => {
		expect(await outcome(subscriber, "DELETE", "/v1/endpoints/ep_0000000000")).toBe("404 endpoint_not_found");
		const lost = "/v1/subscriptions/sub_0000000000";
		expect(await outcome(subscriber, "DELETE", lost)).toBe("404 subscription_not_found");
		// The row that nobody has deleted is still waited for.
		expect((await ask("DELETE", lost)).status).toBe(204);
	});

	test("sees the deliveries of its endpoints and subscriptions, whichever way it asks", async () => {
		await must("POST", "/v1/subscriptions", { name: "b-to-a", source: "scans", endpoint: "a-ocr" });
		await must("POST", "/v1/subscriptions", { name: "a-at-b", source: "scans", endpoint: "b-ocr" });
		const { event, deliveries } = await route(scans, [
			[mine, "b-to-a"],
			[foreign, "a-at-b"],
			[foreign, "b-scans"],
		]);
		const [atMine = "", ofMine = "", neither = ""] = deliveries;
		expect(await idsIn(subscriber, "/v1/deliveries")).toEqual([atMine]);
		expect(await idsIn(subscriber, "/v1/deliveries?endpoint=a-ocr@1")).toEqual([atMine]);
		expect(await idsIn(subscriber, "/v1/deliveries?subscription=a-at-b")).toEqual([ofMine]);
		expect(await idsIn(subscriber, "/v1/deliveries?subscription=b-to-a&endpoint=a-ocr")).toEqual([atMine]);
		expect(await idsIn(subscriber, `/v1/deliveries?event=${event}`)).toEqual([atMine]);
		expect(await idsIn(viewer, `/v1/deliveries?event=${event}`)).toEqual([atMine, ofMine, neither].sort());
		for (const query of ["endpoint=b-ocr@1", `endpoint=${foreign.id}`, "subscription=b-scans"]) {
			expect(await outcome(subscriber, "GET", `/v1/deliveries?${query}`)).toBe("403 forbidden");
		}
		for (const id of [atMine, ofMine]) {
			expect(await outcome(subscriber, "GET", `/v1/deliveries/${id}`)).toBe("200");
		}
		for (const [method, action] of [
			["GET", ""],
			["POST", "/retry"],
			["POST", "/cancel"],
		] as const) {
			expect(await outcome(subscriber, method, `/v1/deliveries/${neither}${action}`)).toBe("403 forbidden");
		}
		expect(await outcome(subscriber, "POST", `/v1/deliveries/${ofMine}/cancel`)).toBe("200");
		expect(await must("GET", `/v1/deliveries/${neither}`)).toMatchObject({ status: "pending" });
	});

	test("whose key names nothing sees nothing", async () => {
		const nobody = await makeKey({ role: "subscriber" });
		for (const list of ["endpoints", "subscriptions", "deliveries"]) {
			expect(await idsIn(nobody, `/v1/${list}`)).toEqual([]);
		}
	});
});

describe("a viewer", () => {
	test("sees everything, and changes nothing", async () => {
		expect(await namesIn(viewer, "/v1/endpoints")).toEqual(["a-ocr", "b-ocr"]);
		expect(await outcome(viewer, "GET", "/v1/subscriptions/b-all")).toBe("200");
		expect(await outcome(viewer, "PATCH", "/v1/endpoints/a-ocr", { max_concurrency: 1 })).toBe(
			"403 forbidden",
		);
		expect(await outcome(viewer, "POST", "/v1/events", { type: "t" })).toBe("403 forbidden");
	});

	test("does not take the token that a publisher has brought", async () => {
		const auth = { type: "hmac", header: "x-signature", verification_token: true };
		const source = await must("POST", "/v1/sources", { name: "notion", auth });
		await ask("POST", "/in/notion", { verification_token: "secret_brought" }, { authorization: "" });
		expect((await askWith(viewer, "GET", `/v1/sources/${source.id}`)).text).not.toContain("secret_brought");
		expect(await must("GET", "/v1/sources/notion")).toMatchObject({ verification_token: "secret_brought" });
		await must("DELETE", "/v1/sources/notion");
	});
});
