/** `/v1/deliveries`: the deliveries of each event to each endpoint; retry and cancel. */
import { Hono } from "hono";
import { dispatcher } from "../../objects/clients.ts";
import type { Change, DeliveryRecord } from "../../delivery/records.ts";
import type { Env } from "../../env.ts";
import { endpointIdOf } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";
import { startBulk } from "../bulk/start.ts";
import { bulkToWire } from "../bulk/wire.ts";
import type { ApiEnv } from "../http/context.ts";
import { deliveryListQuery, searchDeliveries } from "./search.ts";
import { deliveryJson, deliveryToWire } from "./wire.ts";
import { DEFAULT_LIMIT, readQuery } from "../http/query.ts";

const JSON_HEADERS = { "content-type": "application/json" };

export const deliveries = new Hono<ApiEnv>()
	.get("/", async (c) => {
		const { limit = DEFAULT_LIMIT, cursor, ...search } = readQuery(c, deliveryListQuery);
		const { items, nextCursor } = await searchDeliveries(c.env, search, { cursor, limit }, c.var);
		return c.json({ data: items.map(({ item }) => deliveryToWire(item)), next_cursor: nextCursor });
	})
	.get("/:id", async (c) => {
		const id = c.req.param("id");
		const delivery = await dispatcherOf(c.env, id).get(id);
		if (delivery === null) throw deliveryNotFound();
		return c.body(deliveryJson(delivery), 200, JSON_HEADERS);
	})
	.post("/retry", async (c) => c.json(await bulkToWire(c.env, await startBulk(c, "retry")), 202))
	.post("/cancel", async (c) => c.json(await bulkToWire(c.env, await startBulk(c, "cancel")), 202))
	.post("/:id/retry", async (c) => {
		const id = c.req.param("id");
		const delivery = changed(await dispatcherOf(c.env, id).retry(id));
		return c.body(deliveryJson(delivery), 202, JSON_HEADERS);
	})
	.post("/:id/cancel", async (c) => {
		const id = c.req.param("id");
		const delivery = changed(await dispatcherOf(c.env, id).cancel(id));
		return c.body(deliveryJson(delivery), 200, JSON_HEADERS);
	});

/** The id itself shows which dispatcher has the delivery. Throws 404 if it is not a delivery id. */
function dispatcherOf(env: Env, id: string): ReturnType<typeof dispatcher> {
	const endpointId = endpointIdOf(id);
	if (endpointId === null) throw deliveryNotFound();
	return dispatcher(env, endpointId);
}

const REFUSALS: Record<Exclude<Extract<Change, { ok: false }>["code"], "delivery_not_found">, string> = {
	already_succeeded: "The delivery has succeeded. It cannot be retried or canceled.",
	already_finished: "The delivery has ended. There is nothing left to cancel.",
	in_flight: "The delivery is being sent. Send the request again when the attempt has ended.",
	backlog_full:
		"The endpoint still has too many pending deliveries. Send the request again when it has fewer.",
	event_forgotten:
		"The endpoint had too many pending deliveries for this one, and its event has since been deleted.",
	unreadable: "A newer release of Sluice stored the delivery. Deploy that release again to send it.",
};

/** The delivery after a change; throws 404 or 409 if the change was not made. */
function changed(change: Change): DeliveryRecord {
	if (change.ok) return change.delivery;
	if (change.code === "delivery_not_found") throw deliveryNotFound();
	throw new Problem(409, change.code, REFUSALS[change.code]);
}

function deliveryNotFound(): Problem {
	return new Problem(
		404,
		"delivery_not_found",
		"There is no delivery with this id, or it has been deleted after its retention time.",
	);
}
