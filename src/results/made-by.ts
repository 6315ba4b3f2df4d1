/**
 * The attributes of a result event that say what made it: the model, its version, the server's request id, and what
 * the work has used. They begin with the router's prefix, so that no publisher can set them. Pure.
 */
import type { AttributeValue } from "../events/event.ts";
import type { Reported } from "../models/exchange.ts";

export interface MadeBy {
	/** `name@version`; the version stands in where the server does not say which one ran. */
	endpointRef: string;
	reported?: Reported | undefined;
}

/** CloudEvents knows integers of 32 bits, and no fractions. */
const MAX_INTEGER = 2 ** 31 - 1;

/** In the order in which they matter: where there is no room for all, the last ones are left out. */
export function madeByAttributes({ endpointRef, reported = {} }: MadeBy): [string, AttributeValue][] {
	const [name = "", version = ""] = endpointRef.split("@");
	const { usage, modelVersion, requestId } = reported;
	const attributes: [string, AttributeValue | null | undefined][] = [
		["sluicemodel", name],
		["sluicemodelversion", modelVersion ?? version],
		["sluicerequestid", requestId],
		["sluicetokensin", integerOf(usage?.inputTokens)],
		["sluicetokensout", integerOf(usage?.outputTokens)],
		["sluiceseconds", usage?.seconds?.toString()],
	];
	return attributes.flatMap(([name, value]) =>
		value === null || value === undefined ? [] : [[name, value]],
	);
}

function integerOf(count: number | null | undefined): number | null {
	return typeof count === "number" && Number.isInteger(count) && count <= MAX_INTEGER ? count : null;
}
