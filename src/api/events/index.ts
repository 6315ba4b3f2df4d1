/** `/v1/events`: publishes with an API key, and reads events from the logs. */
import { Hono } from "hono";
import type { Env } from "../../env.ts";
import { stripRouterAttributes } from "../../events/cloudevents/attributes.ts";
import { refusedBy } from "../../events/decision.ts";
import { eventLog } from "../../objects/clients.ts";
import type { Decision, SluiceEvent } from "../../events/event.ts";
import type { LogEntry } from "../../events/log/entry.ts";
import { continueLineage, readLineage } from "../../events/lineage-header.ts";
import { findEvent } from "../../events/log/find.ts";
import { eventId, logIdsOf, SLUICE_SOURCE_ID } from "../../events/ids.ts";
import { enqueue } from "../../events/queue/enqueue.ts";
import { toProblem } from "../../http/refusal.ts";
import { explain } from "../../routing/explain.ts";
import type { Subscription } from "../../store/records.ts";
import { type Asker, forbidden, mayReadOperational, ownNames } from "../access/own.ts";
import { coversSource } from "../access/principal.ts";
import type { ApiEnv } from "../http/context.ts";
import { jsonTextOf, withMember } from "../http/json-members.ts";
import { listedOwners, type Owners, ownersOfTable } from "../http/owners.ts";
import { readWalk } from "../http/walk.ts";
import { readDelivery } from "../deliveries/search.ts";
import { traceFrom } from "./trace.ts";
import { eventsOf, traceToWire } from "./trace-wire.ts";
import { readEntry } from "./entry.ts";
import { readPublished } from "./publishing.ts";
import { eventGetQuery, eventListQuery, traceQuery } from "./queries.ts";
import { DEFAULT_LIMIT, invalidQuery, readQuery } from "../http/query.ts";
import { readLikelySources } from "../../store/views/owners.ts";
import {
	BUILTIN_SOURCE_IDS,
	findSourceRef,
	readIdsOfSources,
	readNamesOfSources,
} from "../fields/source-refs.ts";
import { formatTime } from "../fields/times.ts";
import { named } from "../http/writes.ts";

/** The built-in source of events that are published through the API. */
const API_SOURCE_ID = "src_api";

export const events = new Hono<ApiEnv>()
	.post("/", async (c) => {
		const startedAt = Date.now();
		const defaults = { freshId: crypto.randomUUID(), time: formatTime(startedAt) };
		const { events, batch } = await readPublished(c.req.raw, defaults);
		const accepted = events.map((event): SluiceEvent => {
			const { attributes, data } = stripRouterAttributes(event);
			const id = eventId(API_SOURCE_ID, attributes);
			return { id, sourceId: API_SOURCE_ID, receivedAt: startedAt, attributes, data };
		});
		const lineage = readLineage(c.env, c.req.raw.headers, startedAt);
		const queued = await enqueue(c.env, continueLineage(accepted, lineage));
		if (!queued.ok) throw toProblem(queued);
		const ids = accepted.map(({ id }) => id);
		return c.json(batch ? { ids } : { id: ids[0] }, 202);
	})
	.get("/", async (c) => {
		const { limit = DEFAULT_LIMIT, cursor, source, ...range } = readQuery(c, eventListQuery);
		const logs = await logsOf(c.env, source, c.var);
		const { items, nextCursor } = await readWalk("events", logs, { cursor, limit }, (logId, page) =>
			eventLog(c.env, logId).list({ ...named(range), ...page }),
		);
		const names = await readNamesOfSources(
			c.env,
			items.map(({ item }) => item.event.sourceId),
		);
		return c.json({ data: items.map(({ item }) => eventToWire(item, names)), next_cursor: nextCursor });
	})
	.get("/:id", async (c) => {
		const query = readQuery(c, eventGetQuery);
		const entry = await readEntry(c.env, c.req.param("id"));
		const { data, sourceId } = entry.event;
		// A publisher sees the subscriptions to its source, but not all of them.
		const isShown = (subscription: Subscription) =>
			subscription.sourceId === sourceId ||
			(ownNames(c.var, "sources") === null &&
				(subscription.sourceId !== SLUICE_SOURCE_ID || mayReadOperational(c.var)));
		const readNames = (ids: readonly string[]) => readNamesOfSources(c.env, [...new Set(ids)]);
		const wire = {
			...eventToWire(entry, await readNamesOfSources(c.env, [sourceId])),
			...(query.explain === "true" && {
				unmatched: await explain(c.env, entry.event, { isShown, readNames }),
			}),
		};
		if (data === null) return c.json(wire);
		const text = withMember(wire, data.kind === "binary" ? "data_base64" : "data", jsonTextOf(data));
		return c.body(text, 200, { "content-type": "application/json" });
	})
	.get("/:id/trace", async (c) => {
		readQuery(c, traceQuery);
		const entry = await readEntry(c.env, c.req.param("id"));
		const root = await traceFrom(entry, {
			event: (id) => findEvent(c.env, id),
			delivery: (decision, of) => readDelivery(c.env, decision, of),
		});
		const sourceIds = eventsOf(root).flatMap(({ event }) =>
			typeof event === "string" ? [] : event.sourceId,
		);
		return c.json(traceToWire(root, await readNamesOfSources(c.env, [...new Set(sourceIds)])));
	});

/**
 * Of one source, or of all that the asker may see. Throws 403 `forbidden` for a source outside the
 * asker's scope.
 */
async function logsOf(env: Env, source: string | undefined, asker: Asker): Promise<Owners> {
	const own = ownNames(asker, "sources");
	if (source !== undefined) return listedOwners(logIdsOf(await resolveSource(env, source, asker)));
	if (own !== null) return listedOwners((await readIdsOfSources(env, own)).flatMap(logIdsOf));
	return ownersOfTable(env, "sources", {
		fixed: BUILTIN_SOURCE_IDS.filter((id) => id !== SLUICE_SOURCE_ID || mayReadOperational(asker)).flatMap(
			logIdsOf,
		),
		likely: (limit) => readLikelySources(env, limit),
	});
}

/**
 * The id of a source that the asker may read. A deleted source can still be named by its id, but it
 * is nobody's own.
 */
async function resolveSource(env: Env, ref: string, { grade, principal }: Asker): Promise<string> {
	if (grade === "all" && ref.startsWith("src_")) return ref;
	const source = await findSourceRef(env, ref);
	if (source === null) throw invalidQuery([{ path: "source", message: `there is no source ${ref}` }]);
	if (grade === "own" && !coversSource(principal, source.name)) {
		throw forbidden(principal, "sources", source.name);
	}
	return source.id;
}

/**
 * Everything except the payload, which a response contains as its own text or not at all.
 */
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
	const dead = refusedBy(decision) ?? decision.refused;
	return {
		subscription_id: decision.subscriptionId,
		subscription: decision.subscriptionName,
		endpoint_id: decision.endpointId,
		endpoint: decision.endpointRef,
		delivery_id: decision.deliveryId,
		...(dead !== undefined && { dead }),
		...(decision.withheld === true && { withheld: true }),
	};
}
