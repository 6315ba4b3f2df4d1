/**
 * How an endpoint's outputs arrive: as its settings say, otherwise the protocol's default. Pure.
 */
import type { Completion, CompletionMode, Endpoint } from "../store/records.ts";
import { protocolOf } from "./registry.ts";

export interface Completing {
	/** sync: in the response, unless that names a job; such a job is polled. */
	mode: CompletionMode;
	/** Whether a job occupies one of the endpoint's slots until it ends. */
	holdsSlot: boolean;
	deadlineMs: number;
}

export type CompletingEndpoint = Pick<Endpoint, "protocol"> & { completion: Completion };

/** The settings that apply to the endpoint. */
export function completionOf({ protocol, completion }: CompletingEndpoint): Completing {
	const jobs = protocolOf(protocol)?.jobs;
	return {
		mode: completion.mode ?? jobs?.defaultMode ?? "sync",
		holdsSlot: completion.holdSlot ?? jobs?.holdsSlot ?? false,
		deadlineMs: completion.deadlineSeconds * 1000,
	};
}

/** Why the protocol cannot complete in this mode, as an error message; null if it can. */
export function refuseMode(protocol: string, mode: CompletionMode | null): string | null {
	if (mode !== "poll" || protocolOf(protocol)?.jobs?.poll !== undefined) return null;
	return `protocol ${protocol} cannot poll for an output: use callback or sync`;
}
