/** Converts a verified request or message to events of its source: the kind parses it, the router assigns ids. */
import { stripRouterAttributes } from "../events/cloudevents/attributes.ts";
import type { SluiceEvent } from "../events/event.ts";
import { eventId } from "../events/ids.ts";
import { testSourceAttributes } from "../events/test-mark.ts";
import type { Refusal } from "../http/refusal.ts";
import type { Source } from "../store/records.ts";
import { fitAttributes } from "../sources/reading/fit-attributes.ts";
import type { BoundKind, KindRequest, Reply } from "../sources/kind.ts";
import type { Part } from "../sources/reading/large/cutter.ts";

const INVALID_JSON = "The body is not valid JSON.";

export type ParsedEvents =
	| {
			ok: true;
			/** May be empty. */
			events: SluiceEvent[];
			batch: boolean;
			unresolved: readonly string[];
			reply: Reply | undefined;
			/** Set if the request was above the limit and does not fit into one queue message. */
			isLarge?: true;
	  }
	| Refusal;

/** Parses a request. `kind`: the source's kind. `now`: when the request was received, ms since the epoch. */
export async function parseEvents(
	source: Source,
	kind: BoundKind,
	{ headers, body, now }: { headers: Headers; body: Uint8Array; now: number },
): Promise<ParsedEvents> {
	return parsePart(source, kind, { headers, body, now, freshId: crypto.randomUUID() });
}

/** Parses the parts of a large request, in order. If one part is refused, the request is refused. */
export async function parseParts(
	source: Source,
	kind: BoundKind,
	{ headers, parts, now }: { headers: Headers; parts: Part[]; now: number },
): Promise<ParsedEvents> {
	const freshId = crypto.randomUUID();
	const isList = parts[0]?.isList ?? true;
	const events: SluiceEvent[] = [];
	let reply: Reply | undefined;
	// Removes each part before parsing it, so that its bytes can be freed.
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

/** Removes the position from the message, because it is relative to the part and not to the request. */
function inWhole(refusal: Refusal): Refusal {
	return refusal.code === "invalid_json" ? { ...refusal, message: INVALID_JSON } : refusal;
}

async function parsePart(source: Source, kind: BoundKind, request: KindRequest): Promise<ParsedEvents> {
	const { now } = request;
	const parsed = await kind.parse(request);
	if (!parsed.ok) return parsed;
	const events = parsed.events.map((event): SluiceEvent => {
		const { attributes: given, data } = stripRouterAttributes(event);
		const attributes = { ...fitAttributes(given, source.name), ...testSourceAttributes(source.isTest) };
		return { id: eventId(source.id, attributes), sourceId: source.id, receivedAt: now, attributes, data };
	});
	return { ok: true, events, batch: parsed.batch, unresolved: parsed.unresolved ?? [], reply: parsed.reply };
}
