/** Deliveries that there was no room for, as the API shows them. */
import { env } from "cloudflare:workers";
import {
	createExecutionContext,
	createMessageBatch,
	getQueueResult,
	runInDurableObject,
} from "cloudflare:test";
import { expect, test } from "vitest";
import { dispatcher, eventLog } from "../../../src/objects/clients.ts";
import type { SluiceEvent } from "../../../src/events/event.ts";
import { eventId, newId } from "../../../src/events/ids.ts";
import { encodeSegment } from "../../../src/events/queue/segment.ts";
import { routeBatch } from "../../../src/routing/router.ts";
import { createSetting, setFull } from "../../delivery/dispatcher.fixtures.ts";
import { ask, must, type Page } from "../client.ts";

function found(query: string): Promise<Page> {
	return must("GET", `/v1/deliveries?${query}`);
}

test("is a dead letter like others: found by id, by filters and by its event, and retried", async () => {
	const type = newId("src");
	const full = await createSetting({ endpoint: { status: "paused" }, subscription: { types: [type] } });
	const { endpoint, subscription } = full;
	await setFull(full, true);
	const attributes = { id: newId("src"), source: "/s", type };
	const id = eventId("src_api", attributes);
	const event: SluiceEvent = { id, sourceId: "src_api", receivedAt: Date.now(), attributes, data: null };
	const message = { id: "m", timestamp: new Date(), attempts: 1, body: encodeSegment([event]) };
	const batch = createMessageBatch("sluice-events", [message]);
	await routeBatch(batch, env);
	expect((await getQueueResult(batch, createExecutionContext())).explicitAcks).toEqual(["m"]);

	const { matched } = await must<{ matched: { delivery_id: string }[] }>("GET", `/v1/events/${id}`);
	expect(matched).toMatchObject([{ endpoint_id: endpoint.id, dead: "backlog_full" }]);
	const deliveryId = matched[0]?.delivery_id;
	const dead = {
		id: deliveryId,
		event_id: id,
		subscription_id: subscription.id,
		endpoint_id: endpoint.id,
		endpoint: `${endpoint.name}@1`,
		status: "dead",
		reason: "backlog_full",
		attempt_count: 0,
		attempts: [],
		next_attempt_at: null,
		blocked_by: null,
		result_event_id: null,
	};
	expect(await must("GET", `/v1/deliveries/${deliveryId}`)).toMatchObject({ ...dead, result: null });
	const filters = [
		`endpoint=${endpoint.id}`,
		`endpoint=${endpoint.id}&status=dead&reason=backlog_full`,
		`endpoint=${endpoint.id}&subscription=${subscription.id}&reason=backlog_full`,
		`event=${id}`,
		`event=${id}&status=dead&reason=backlog_full`,
	];
	for (const query of filters) expect(await found(query), query).toMatchObject({ data: [dead] });
	for (const query of [`endpoint=${endpoint.id}&status=pending`, `event=${id}&reason=exhausted`]) {
		expect(await found(query), query).toEqual({ data: [], next_cursor: null });
	}

	// Forgotten by the dispatcher, it is still known from the event.
	const rows = await runInDurableObject(dispatcher(env, endpoint.id), (_, { storage: { sql } }) =>
		sql.exec<Record<string, SqlStorageValue>>("DELETE FROM refused RETURNING *").toArray(),
	);
	expect(await found(`event=${id}&status=dead`)).toMatchObject({ data: [dead] });
	expect(await found(`endpoint=${endpoint.id}`)).toMatchObject({ data: [] });
	expect((await ask("POST", `/v1/deliveries/${deliveryId}/retry`)).body["code"]).toBe("delivery_not_found");
	await runInDurableObject(dispatcher(env, endpoint.id), (_, { storage: { sql } }) => {
		for (const { seq, size, decisions } of rows) {
			sql.exec("INSERT INTO refused (seq, size, decisions) VALUES (?, ?, ?)", seq, size, decisions);
		}
	});

	const stillFull = await ask("POST", `/v1/deliveries/${deliveryId}/retry`);
	expect([stillFull.status, stillFull.body["code"]]).toEqual([409, "backlog_full"]);
	await setFull(full, false);
	expect(await must("POST", `/v1/deliveries/${deliveryId}/retry`)).toMatchObject({
		id: deliveryId,
		event_id: id,
		status: "pending",
		reason: null,
		detail: null,
	});
	expect((await eventLog(env, "src_api").get(id))?.event).toEqual(event);
	expect(await found(`endpoint=${endpoint.id}`)).toMatchObject({
		data: [{ id: deliveryId, status: "pending" }],
	});
});
