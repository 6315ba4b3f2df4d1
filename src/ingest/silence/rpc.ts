/** What the watch of a source can be called for by other rooms. Shapes only. */

export interface WatchRpc extends Rpc.DurableObjectBranded {
	/** The source has been made, changed, paused or deleted: it is looked at anew. */
	refresh(sourceId: string): Promise<void>;
}
