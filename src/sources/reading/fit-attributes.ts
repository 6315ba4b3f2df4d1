/**
 * Shortens attributes that a kind has built, because prefixes and percent-encoding can make them too long. An event may
 * lose an attribute but is never refused, and two events never get the same id.
 */
import { isAttributeLength } from "../../events/cloudevents/attributes.ts";
import type { Attributes } from "../../events/event.ts";
import { contentHash } from "./content-hash.ts";

/** `sourceName`: the name of the source that received the event; it replaces a type or source that is too long. */
export function fitAttributes(attributes: Attributes, sourceName: string): Attributes {
	if (Object.values(attributes).every(isFit)) return attributes;
	const { id, source, type } = attributes;
	return {
		...Object.fromEntries(Object.entries(attributes).filter(([, value]) => isFit(value))),
		id: isAttributeLength(id) && isAttributeLength(source) ? id : contentHash(source, id),
		source: isAttributeLength(source) ? source : `/sources/${sourceName}`,
		type: isAttributeLength(type) ? type : sourceName,
	};
}

function isFit(value: Attributes[string]): boolean {
	return value === undefined || isAttributeLength(value);
}
