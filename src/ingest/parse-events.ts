/** A verified request or message, as events of its source: parsed by the kind, named by the router. */
import { stripRouterAttributes } from "../events/cloudevents/attributes.ts";
import type { SluiceEvent } from "../events/event.ts";
import { eventId } from "../events/ids.ts";
import type { Refusal } from "../http/refusal.ts";
import type { Source } from "../store/records.ts";
import { fitAttributes } from "../sources/reading/fit-attributes.ts";
import type { BoundKind, KindRequest, Reply } from "../sources/kind.ts";
import type { Part } from "../sources/reading/large/cutter.ts";

const INVALID_JSON = "The body is not valid JSON.";

export type ParsedEvents =
	| {
			ok: true;
			/** May be none. */
			events: SluiceEvent[];
			batch: boolean;
			unresolved: readonly string[];
			reply: Reply | undefined;
			/** Set when the request was above the limit: too much for one message of the queue. */
			isLarge?: true;
	  }
	| Refusal;

/** `kind`: the source's. `now`: when it came, ms since the epoch. */
export async function parseEvents(
	source: Source,
	kind: BoundKind,
	{ headers, body, now }: { headers: Headers; body: Uint8Array; now: number },
): Promise<ParsedEvents> {
	return parsePart(source, kind, { headers, body, now, freshId: crypto.randomUUID() });
}

/** A request that came in parts, in their order. One that is refused refuses all. */
export async function parseParts(
	source: Source,
	kind: BoundKind,
	{ headers, parts, now }: { headers: Headers; parts: Part[]; now: number },
): Promise<ParsedEvents> {
	const freshId = crypto.randomUUID();
	const isList = parts[0]?.isList ?? true;
	const events: SluiceEvent[] = [];
	let reply: Reply | undefined;
	// Taken away one by one: what is parsed need not be kept as bytes too.
	for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
		const { body, ...place } = part;
		const parsed = await parsePart(source, kind, { headers, body, now, freshId, part: place });
		if (!parsed.ok) return inWhole(parsed);
		events.push(...parsed.events);
		({ reply } = parsed);
	}
	const isSilent = events.length === 0;
	return {
		ok: true,
		events,
		batch: isList,
		unresolved: [],
		reply: isSilent ? reply : undefined,
		isLarge: true,
	};
}

/** Where something stands in a part says nothing of where it stands in the request. */
function inWhole(refusal: Refusal): Refusal {
	return refusal.code === "invalid_json" ? { ...refusal, message: INVALID_JSON } : refusal;
}

async function parsePart(source: Source, kind: BoundKind, request: KindRequest): Promise<ParsedEvents> {
	const { now } = request;
	const parsed = await kind.parse(request);
	if (!parsed.ok) return parsed;
	const events = parsed.events.map((event): SluiceEvent => {
		const { attributes: given, data } = stripRouterAttributes(event);
		const attributes = fitAttributes(given, source.name);
		return { id: eventId(source.id, attributes), sourceId: source.id, receivedAt: now, attributes, data };
	});
	return { ok: true, events, batch: parsed.batch, unresolved: parsed.unresolved ?? [], reply: parsed.reply };
}
