/** `/v1/events`: publish with an API key, and read what the event logs hold. */
import { Hono } from "hono";
import * as z from "zod";
import type { Env } from "../../env.ts";
import { stripRouterAttributes } from "../../events/cloudevents/attributes.ts";
import { eventLog } from "../../objects/clients.ts";
import type { Decision, SluiceEvent } from "../../events/event.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { eventId, sourceIdOf } from "../../events/ids.ts";
import { enqueue } from "../../events/queue/enqueue.ts";
import { Problem } from "../../http/problem.ts";
import { toProblem } from "../../http/refusal.ts";
import { explain } from "../../routing/explain.ts";
import { typePattern } from "../fields/fields.ts";
import { jsonTextOf, withMember } from "../http/json-members.ts";
import { cutMerged, mergeNewest } from "../http/merge.ts";
import { decodeCursor } from "../http/pages.ts";
import { readPublished } from "./publishing.ts";
import { DEFAULT_LIMIT, invalidQuery, pageQuery, readQuery } from "../http/query.ts";
import { findSourceRef, readAllSourceIds, readNamesOfSources } from "../fields/source-refs.ts";
import { formatTime, timeField } from "../fields/times.ts";
import { named } from "../http/writes.ts";

/** The builtin source of what is published through the API. */
const API_SOURCE_ID = "src_api";

const listQuery = z.strictObject({
	...pageQuery,
	source: z.string().optional(),
	type: typePattern.optional(),
	since: timeField.optional(),
	until: timeField.optional(),
});

const getQuery = z.strictObject({ explain: z.enum(["true", "false"]).optional() });

export const events = new Hono<{ Bindings: Env }>()
	.post("/", async (c) => {
		const startedAt = Date.now();
		const defaults = { freshId: crypto.randomUUID(), time: formatTime(startedAt) };
		const { events, batch } = await readPublished(c.req.raw, defaults);
		const accepted = events.map((event): SluiceEvent => {
			const { attributes, data } = stripRouterAttributes(event);
			const id = eventId(API_SOURCE_ID, attributes);
			return { id, sourceId: API_SOURCE_ID, receivedAt: startedAt, attributes, data };
		});
		const queued = await enqueue(c.env, accepted);
		if (!queued.ok) throw toProblem(queued);
		const ids = accepted.map(({ id }) => id);
		return c.json(batch ? { ids } : { id: ids[0] }, 202);
	})
	.get("/", async (c) => {
		const { limit = DEFAULT_LIMIT, cursor, source, ...range } = readQuery(c, listQuery);
		const after = decodeCursor("events", cursor);
		const owners =
			source === undefined ? await readAllSourceIds(c.env) : [await resolveSource(c.env, source)];
		const found = await mergeNewest(owners, { after, limit: limit + 1 }, (sourceId, page) =>
			eventLog(c.env, sourceId).list({ ...named(range), ...page }),
		);
		const { items, nextCursor } = cutMerged("events", found, limit);
		const names = await readNamesOfSources(
			c.env,
			items.map(({ item }) => item.event.sourceId),
		);
		return c.json({ data: items.map(({ item }) => eventToWire(item, names)), next_cursor: nextCursor });
	})
	.get("/:id", async (c) => {
		const query = readQuery(c, getQuery);
		const entry = await readEntry(c.env, c.req.param("id"));
		const { data, sourceId } = entry.event;
		const wire = {
			...eventToWire(entry, await readNamesOfSources(c.env, [sourceId])),
			...(query.explain === "true" && { unmatched: await explain(c.env, entry.event) }),
		};
		if (data === null) return c.json(wire);
		const text = withMember(wire, data.kind === "binary" ? "data_base64" : "data", jsonTextOf(data));
		return c.body(text, 200, { "content-type": "application/json" });
	});

async function readEntry(env: Env, id: string): Promise<LogEntry> {
	const sourceId = sourceIdOf(id);
	const entry = sourceId === null ? null : await eventLog(env, sourceId).get(id);
	if (entry !== null) return entry;
	throw new Problem(
		404,
		"event_not_found",
		"There is no event with this id, or it has been forgotten by now.",
	);
}

/** A source that has been deleted can still be named by its id. */
async function resolveSource(env: Env, ref: string): Promise<string> {
	if (ref.startsWith("src_")) return ref;
	const source = await findSourceRef(env, ref);
	if (source !== null) return source.id;
	throw invalidQuery([{ path: "source", message: `there is no source ${ref}` }]);
}

/** Everything but the payload, which stands in a response as its own text or not at all. */
function eventToWire(
	{ event, decisions }: LogEntry,
	names: ReadonlyMap<string, string>,
): Record<string, unknown> {
	const { id, sourceId, receivedAt, attributes } = event;
	return {
		id,
		source: names.get(sourceId) ?? null,
		source_id: sourceId,
		type: attributes.type,
		subject: attributes.subject ?? null,
		received_at: formatTime(receivedAt),
		cloudevent: { specversion: "1.0", ...attributes },
		matched: decisions.map(decisionToWire),
	};
}

function decisionToWire(decision: Decision): Record<string, unknown> {
	return {
		subscription_id: decision.subscriptionId,
		subscription: decision.subscriptionName,
		endpoint_id: decision.endpointId,
		endpoint: decision.endpointRef,
		delivery_id: decision.deliveryId,
		...(decision.dead !== undefined && { dead: decision.dead }),
	};
}
