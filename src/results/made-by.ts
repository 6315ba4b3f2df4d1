/**
 * The attributes that say what produced a result event: the model, its version, the server's request id and the usage.
 * They begin with the router's prefix, so that no publisher can set them. Pure.
 */
import type { AttributeValue } from "../events/event.ts";
import type { Reported } from "../models/exchange.ts";

export interface MadeBy {
	/** `name@version`; the version is the fallback if the server does not report one. */
	endpointRef: string;
	reported?: Reported | undefined;
}

/** CloudEvents integers have 32 bits. */
const MAX_INTEGER = 2 ** 31 - 1;

/** Returns the attributes, most important first: if there is no room for all, the last ones are dropped. */
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
