/** The RPC interface of a puller. Types only. */
import type { PullState } from "./pull-cycle.ts";

export type PullStatus = Pick<PullState, "status" | "lastError" | "lastMessageAt">;

export interface PullerRpc extends Rpc.DurableObjectBranded {
	/**
	 * Call after the source was created, changed, paused or deleted. Aborts the current run and reads the source again.
	 */
	refresh(sourceId: string): Promise<void>;
	/** Returns the status. Starts a puller that has never run, because the call to `refresh` may have failed. */
	status(sourceId: string): Promise<PullStatus>;
}
