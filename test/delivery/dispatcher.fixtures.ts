/** What the dispatcher's tests share: an endpoint with a subscription in D1, a model behind `fetch`, and events. */
import { env } from "cloudflare:workers";
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, vi } from "vitest";
import { dispatcher } from "../../src/objects/clients.ts";
import type { IncomingEvent } from "../../src/delivery/ledger/inbox/incoming.ts";
import type { DeliveryRecord } from "../../src/delivery/records.ts";
import type { Decision, SluiceEvent } from "../../src/events/event.ts";
import { deliveryId, endpointIdOf, eventId, newId } from "../../src/events/ids.ts";
import { DEFAULT_COMPLETION } from "../../src/store/resources/endpoint-columns.ts";
import { insertEndpoint } from "../../src/store/resources/endpoints.ts";
import type { ReadableEndpoint, Subscription } from "../../src/store/records.ts";
import { insertSubscription } from "../../src/store/resources/subscriptions.ts";
import { PATIENCE_MS } from "../patience.ts";

export interface Setting {
	endpoint: ReadableEndpoint;
	subscription: Subscription;
	dispatcher: ReturnType<typeof dispatcher>;
}

/** Endpoints of this test, and of those before it in the same file, whose deliveries may still be tried again. */
const current = new Set<string>();
const former = new Set<string>();

beforeEach(() => {
	for (const id of current) former.add(id);
	current.clear();
});

export async function createSetting(
	changes: { endpoint?: Partial<ReadableEndpoint>; subscription?: Partial<Subscription> } = {},
): Promise<Setting> {
	const id = newId("ep");
	const endpoint: ReadableEndpoint = {
		id,
		name: id,
		version: "1",
		url: "https://model.example.com/",
		protocol: "http",
		model: null,
		auth: { type: "none" },
		headers: {},
		timeoutSeconds: 30,
		maxConcurrency: 6,
		retry: {
			scheduleSeconds: [60, 60],
			busyMaxWaitSeconds: 3600,
			coldStartSeconds: 0,
			statuses: [],
			busyStatuses: [],
		},
		completion: DEFAULT_COMPLETION,
		signingSecrets: [{ value: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", createdAt: 0, expiresAt: null }],
		status: "active",
		statusReason: null,
		revision: 1,
		createdAt: Date.now(),
		updatedAt: Date.now(),
		...changes.endpoint,
	};
	const subscriptionId = newId("sub");
	const subscription: Subscription = {
		id: subscriptionId,
		name: subscriptionId,
		sourceId: null,
		// Nothing that other tests publish.
		types: ["never.published"],
		filters: [],
		target: { endpointId: id },
		transform: null,
		result: null,
		status: "active",
		revision: 1,
		quarantine: null,
		createdAt: Date.now(),
		updatedAt: Date.now(),
		...changes.subscription,
	};
	current.add(id);
	await insertEndpoint(env, endpoint);
	await insertSubscription(env, subscription);
	return { endpoint, subscription, dispatcher: dispatcher(env, id) };
}

let published = 0;

/** A new event, decided for the subscription of `setting`. */
export function incoming(
	{ endpoint, subscription }: Setting,
	more: Partial<Decision> = {},
): IncomingEvent & { id: string } {
	published += 1;
	const attributes = { id: String(published), source: "/docs", type: "document.inserted" };
	const event: SluiceEvent = {
		id: eventId("src_docs", attributes),
		sourceId: "src_docs",
		receivedAt: Date.now(),
		attributes,
		data: { kind: "json", text: `{"number":${published}}` },
	};
	const id = deliveryId({ eventId: event.id, subscriptionId: subscription.id, endpointId: endpoint.id });
	const decision: Decision = {
		deliveryId: id,
		subscriptionId: subscription.id,
		subscriptionName: subscription.name,
		endpointId: endpoint.id,
		endpointRef: `${endpoint.name}@${endpoint.version}`,
		...more,
	};
	return { event, decisions: [decision], id };
}

export interface Call {
	deliveryId: string;
	attempt: string;
	body: string;
	method: string;
	url: string;
	headers: Headers;
}

/** Puts a model behind `fetch`: every call is noted, and answered by `answer`. */
export function model(answer: (call: Call) => Response | Promise<Response>): Call[] {
	const calls: Call[] = [];
	vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
		const request = new Request(input, init);
		const call = {
			deliveryId: request.headers.get("webhook-id") ?? "",
			attempt: request.headers.get("sluice-attempt") ?? "",
			body: await request.text(),
			method: request.method,
			url: request.url,
			headers: request.headers,
		};
		// A delivery that an earlier test has left behind is none of this one's calls.
		if (former.has(endpointIdOf(call.deliveryId) ?? "")) return new Response(null, { status: 204 });
		calls.push(call);
		return answer(call);
	});
	return calls;
}

/** Polls, because a promise that one Durable Object waits for cannot be settled from outside of it. */
export async function until(isTrue: () => boolean): Promise<void> {
	for (let polls = 0; polls < PATIENCE_MS / 5 && !isTrue(); polls++)
		await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Waits until the delivery is as `status` says, and answers it. */
export async function whenStatus(
	{ dispatcher }: Setting,
	id: string,
	status: DeliveryRecord["status"],
): Promise<DeliveryRecord> {
	return vi.waitFor(
		async () => {
			const delivery = await dispatcher.get(id);
			if (delivery?.status !== status)
				throw new Error(`${id} is ${JSON.stringify(delivery?.status)}, not ${status}`);
			return delivery;
		},
		{ interval: 10 },
	);
}

/** Waits for one attempt to be recorded. */
export async function whenTried({ dispatcher }: Setting, id: string, attempts = 1): Promise<DeliveryRecord> {
	return vi.waitFor(
		async () => {
			const delivery = await dispatcher.get(id);
			if (delivery?.attempts.length !== attempts || delivery.status === "in_flight") {
				throw new Error(`${id} has ${delivery?.attempts.length} attempts and is ${delivery?.status}`);
			}
			return delivery;
		},
		{ interval: 10 },
	);
}

export async function runAlarm({ dispatcher }: Setting): Promise<boolean> {
	return runDurableObjectAlarm(dispatcher);
}

/** Makes the dispatcher's database seem as large as it may be, or as it is. */
export async function setFull({ dispatcher }: Setting, isFull: boolean): Promise<void> {
	await runInDurableObject(dispatcher, (_, { storage }) => {
		if (isFull) {
			Object.defineProperty(storage.sql, "databaseSize", { configurable: true, value: 9_000_000_000 });
		} else Reflect.deleteProperty(storage.sql, "databaseSize");
	});
}

/** Makes every write of a delivery fail, or succeed again. */
export async function rowsFail({ dispatcher }: Pick<Setting, "dispatcher">, doFail: boolean): Promise<void> {
	await runInDurableObject(dispatcher, (_, { storage: { sql } }) => {
		for (const verb of ["INSERT", "UPDATE"]) {
			sql.exec(
				doFail
					? `CREATE TRIGGER IF NOT EXISTS no_${verb} BEFORE ${verb} ON deliveries
						BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END`
					: `DROP TRIGGER IF EXISTS no_${verb}`,
			);
		}
	});
}
