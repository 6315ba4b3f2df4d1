/**
 * Whose words identify a result event where the output is a CloudEvent: the model's, or the router's where the server
 * has made them up. Pure.
 */
import type { Attributes } from "../events/event.ts";

/**
 * Sources that a server writes into every response of its own accord. KServe answers each event with one that has a
 * random id and a source made of its own name: the same output would be another event each time, and endpoint and
 * version would be lost. Where an operator has set a source (`CE_SOURCE`), it is the model's word.
 */
const INVENTED_SOURCES = /^io\.kserve\.inference(?:\.|$)/;

/** The attributes that a CloudEvent in a response hands on; without `id` and `source` where the server invents them. */
export function attributesSaid(attributes: Attributes): Partial<Attributes> {
	if (!INVENTED_SOURCES.test(attributes.source)) return attributes;
	const { id: _id, source: _source, ...said } = attributes;
	return said;
}
