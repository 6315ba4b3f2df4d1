/** The RPC methods of a bulk job that the API calls. Shapes only. */
import type { BulkCounts, BulkOrder } from "./order.ts";

export interface BulkRequest {
	order: BulkOrder;
	/** Endpoints whose deliveries are selected; null: all endpoints. */
	endpointIds: readonly string[] | null;
	/** `key_…` or `root`. */
	startedBy: string;
	/** The filters as the request gave them, returned when the job is read; JSON. */
	asked: string;
}

/** unreachable: its dispatcher did not respond for too long and was given up. */
export type EndpointStatus = "running" | "done" | "canceled" | "unreachable";

export interface EndpointProgress extends BulkCounts {
	endpointId: string;
	status: EndpointStatus;
}

/** A bulk job as the API returns it. Times are ms since the epoch. */
export interface BulkRecord extends BulkCounts {
	id: string;
	action: BulkOrder["action"];
	dryRun: boolean;
	asked: string;
	startedBy: string;
	status: "running" | "done" | "canceled";
	createdAt: number;
	finishedAt: number | null;
	/** Endpoints whose dispatchers have been called. */
	endpointCount: number;
	/** Endpoints with matches or not yet done, up to 200. */
	endpoints: EndpointProgress[];
}

export interface BulkJobRpc extends Rpc.DurableObjectBranded {
	/** Begins the job once and returns its state after the first turn. */
	begin(request: BulkRequest): Promise<BulkRecord>;
	/** null: there is no such job, or it has expired. */
	read(): Promise<BulkRecord | null>;
	/** Stops the job; what has been changed stays changed. null: as above. */
	cancel(): Promise<BulkRecord | null>;
}
