/** A verified request or message, as events of its source: parsed by the kind, named by the router. */
import { stripRouterAttributes } from "../events/cloudevents/attributes.ts";
import type { SluiceEvent } from "../events/event.ts";
import { eventId } from "../events/ids.ts";
import type { Refusal } from "../http/refusal.ts";
import type { Source } from "../store/records.ts";
import { fitAttributes } from "../sources/reading/fit-attributes.ts";
import type { BoundKind, Reply } from "../sources/kind.ts";

export type ParsedEvents =
	| {
			ok: true;
			/** May be none. */
			events: SluiceEvent[];
			batch: boolean;
			unresolved: readonly string[];
			reply: Reply | undefined;
	  }
	| Refusal;

/** `kind`: the source's. `now`: when it came, ms since the epoch. */
export async function parseEvents(
	source: Source,
	kind: BoundKind,
	{ headers, body, now }: { headers: Headers; body: Uint8Array; now: number },
): Promise<ParsedEvents> {
	const parsed = await kind.parse({ headers, body, now, freshId: crypto.randomUUID() });
	if (!parsed.ok) return parsed;
	const events = parsed.events.map((event): SluiceEvent => {
		const { attributes: given, data } = stripRouterAttributes(event);
		const attributes = fitAttributes(given, source.name);
		return { id: eventId(source.id, attributes), sourceId: source.id, receivedAt: now, attributes, data };
	});
	return { ok: true, events, batch: parsed.batch, unresolved: parsed.unresolved ?? [], reply: parsed.reply };
}
