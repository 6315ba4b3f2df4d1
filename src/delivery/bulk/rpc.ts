/** What a bulk job can be called for by the API. Shapes only. */
import type { BulkCounts, BulkOrder } from "./order.ts";

export interface BulkRequest {
	order: BulkOrder;
	/** Whose deliveries it is about; null: those of all endpoints. */
	endpointIds: readonly string[] | null;
	/** `key_…` or `root`. */
	startedBy: string;
	/** The filters as they were given, for whoever reads the job; JSON. */
	asked: string;
}

/** unreachable: its dispatcher has not responded for so long that it was given up. */
export type EndpointStatus = "running" | "done" | "canceled" | "unreachable";

export interface EndpointProgress extends BulkCounts {
	endpointId: string;
	status: EndpointStatus;
}

/** A bulk job as the API reads it. Times are ms since the epoch. */
export interface BulkRecord extends BulkCounts {
	id: string;
	action: BulkOrder["action"];
	dryRun: boolean;
	asked: string;
	startedBy: string;
	status: "running" | "done" | "canceled";
	createdAt: number;
	finishedAt: number | null;
	/** Endpoints that have been asked. */
	endpointCount: number;
	/** Those that something was found at or that are not done, up to 200. */
	endpoints: EndpointProgress[];
}

export interface BulkJobRpc extends Rpc.DurableObjectBranded {
	/** Begins the job, once, and returns how it stands after its first turn. */
	begin(request: BulkRequest): Promise<BulkRecord>;
	/** null: there is no such job, or it has been forgotten. */
	read(): Promise<BulkRecord | null>;
	/** Ends it where it stands; what has been changed stays so. null: as above. */
	cancel(): Promise<BulkRecord | null>;
}
