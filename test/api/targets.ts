/** What the tests of deliveries share: endpoints that hold what is routed to them, and the way there. */
import { env } from "cloudflare:workers";
import type { Decision, SluiceEvent } from "../../src/events/event.ts";
import { deliveryId, eventId } from "../../src/events/ids.ts";
import { dispatcher, eventLog } from "../../src/objects/clients.ts";
import { must, type Resource } from "./client.ts";

export interface Target {
	endpoint: Resource;
	subscription: Resource;
}

let made = 0;

/** A paused endpoint, so that what is routed to it stays pending, and a subscription to it. */
export async function aPausedTarget(): Promise<Target> {
	const name = `held-${++made}`;
	await must("POST", "/v1/endpoints", { name, url: "https://models.example.com/" });
	const endpoint = await must("POST", `/v1/endpoints/${name}/pause`);
	const subscription = await must("POST", "/v1/subscriptions", { endpoint: `${name}@1` });
	return { endpoint, subscription };
}

export function anEvent(attributes: { subject?: string } = {}): SluiceEvent {
	const all = { id: `e-${++made}`, source: "/t", type: "t", ...attributes };
	const id = eventId("src_api", all);
	return { id, sourceId: "src_api", receivedAt: Date.now(), attributes: all, data: null };
}

/** Hands one event to the targets, as the router would; returns its id and those of its deliveries. */
export async function route(
	targets: readonly Target[],
	event: SluiceEvent = anEvent(),
): Promise<{ event: string; deliveries: string[] }> {
	const decisions = targets.map(({ endpoint, subscription }): Decision => {
		const [endpointId, subscriptionId] = [endpoint.id, subscription.id];
		return {
			deliveryId: deliveryId({ eventId: event.id, subscriptionId, endpointId }),
			subscriptionId,
			subscriptionName: subscription.name,
			endpointId,
			endpointRef: `${endpoint.name}@1`,
		};
	});
	await eventLog(env, "src_api").append([{ event, decisions }]);
	for (const decision of decisions) {
		await dispatcher(env, decision.endpointId).enqueue([{ event, decisions: [decision] }]);
	}
	return { event: event.id, deliveries: decisions.map((decision) => decision.deliveryId) };
}
