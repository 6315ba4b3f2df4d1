/** The RPC interface of a source's watch. Types only. */

export interface WatchRpc extends Rpc.DurableObjectBranded {
	/** Call after the source was created, changed, paused or deleted. Reads it again. */
	refresh(sourceId: string): Promise<void>;
}
