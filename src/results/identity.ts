/**
 * Chooses the attributes that identify a result event if the output is a CloudEvent: the model's, or the router's if
 * the server generated them. Pure.
 */
import type { Attributes } from "../events/event.ts";

/**
 * Sources that a server generates by itself. KServe responds with a random id and a source derived from its own name:
 * each retry would produce a different event, and endpoint and version would be lost. A source that the operator has
 * set (`CE_SOURCE`) is kept.
 */
const INVENTED_SOURCES = /^io\.kserve\.inference(?:\.|$)/;

/**
 * Returns the attributes to keep from a CloudEvent in a response, without `id` and `source` if the server generates
 * them.
 */
export function attributesSaid(attributes: Attributes): Partial<Attributes> {
	if (!INVENTED_SOURCES.test(attributes.source)) return attributes;
	const { id: _id, source: _source, ...said } = attributes;
	return said;
}
