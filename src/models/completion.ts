/** How an endpoint's outputs come: what its owner has said, and what its protocol does otherwise. Pure. */
import type { Completion, CompletionMode, Endpoint } from "../store/records.ts";
import { protocolOf } from "./registry.ts";

export interface Completing {
	/** sync: in the response, unless that names a job; such a job is polled. */
	mode: CompletionMode;
	/** Whether a job takes one of the endpoint's slots until it ends. */
	holdsSlot: boolean;
	deadlineMs: number;
}

export type CompletingEndpoint = Pick<Endpoint, "protocol"> & { completion: Completion };

/** What counts for the endpoint. */
export function completionOf({ protocol, completion }: CompletingEndpoint): Completing {
	const jobs = protocolOf(protocol)?.jobs;
	return {
		mode: completion.mode ?? jobs?.defaultMode ?? "sync",
		holdsSlot: completion.holdSlot ?? jobs?.holdsSlot ?? false,
		deadlineMs: completion.deadlineSeconds * 1000,
	};
}

/** Why the protocol cannot complete in this mode, for whoever sets it; null when it can. */
export function refuseMode(protocol: string, mode: CompletionMode | null): string | null {
	if (mode !== "poll" || protocolOf(protocol)?.jobs?.poll !== undefined) return null;
	return `protocol ${protocol} has no way to ask for an output: use callback or sync`;
}
