/** What a puller can be called for by other rooms. Shapes only. */
import type { PullState } from "./pull-cycle.ts";

export type PullStatus = Pick<PullState, "status" | "lastError" | "lastMessageAt">;

export interface PullerRpc extends Rpc.DurableObjectBranded {
	/** The source has been made, changed, paused or deleted: what is under way ends, and it is read anew. */
	refresh(sourceId: string): Promise<void>;
	/** A source whose puller has never heard of it is begun here: telling it may have failed. */
	status(sourceId: string): Promise<PullStatus>;
}
