/**
 * Attributes that a kind has put together from what a publisher wrote: prefixes and percent-encoding may have made
 * them longer than an attribute may be. That costs an event a name, never the event, and makes no two events one.
 */
import { isAttributeLength } from "../../events/attributes.ts";
import type { Attributes } from "../../events/event.ts";
import { contentHash } from "./content-hash.ts";

/** `sourceName`: of the source that the event came in by, which gives its name to what has lost its own. */
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
