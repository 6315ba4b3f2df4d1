/** The RPC methods of a bulk job that the API calls. Shapes only. */
import type { BulkCounts, BulkOrder } from "./order.ts";

export interface BulkRequest {
	order: BulkOrder;
	/** Endpoints whose deliveries are selected; null: all that exist, or those with `endpointNames`. */
	endpointIds: readonly string[] | null;
	/** Patterns of names; null: all. */
	endpointNames: readonly string[] | null;
	/** `key_…` or `root`. */
	startedBy: string;
	/** The filters as the request gave them, returned when the job is read; JSON. */
	asked: string;
}

/**
 * After the last three it is unknown whether everything was done. unreachable: its dispatcher did not respond
 * for too long. busy: nothing was begun, because other orders were unfinished for too long. forgotten: the
 * dispatcher no longer knows the order; the counts are the last known ones.
 */
export const ENDPOINT_STATUSES = ["running", "done", "canceled", "unreachable", "busy", "forgotten"] as const;
export type EndpointStatus = (typeof ENDPOINT_STATUSES)[number];

/** incomplete: the job has ended, but as far as is known, not everything was done at some endpoints. */
export const JOB_STATUSES = ["running", "done", "incomplete", "canceled"] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** How many endpoints ended in each of the statuses that make a job incomplete. */
export type Unfinished = Record<"unreachable" | "busy" | "forgotten", number>;

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
	status: JobStatus;
	unfinished: Unfinished;
	createdAt: number;
	finishedAt: number | null;
	/** Endpoints whose dispatchers have been called. */
	endpointCount: number;
	/** Endpoints with matches or not yet done, up to 200; those that are not done come first. */
	endpoints: EndpointProgress[];
}

export interface BulkJobRpc extends Rpc.DurableObjectBranded {
	/** Begins the job once and returns its state after the first turn. */
	begin(request: BulkRequest): Promise<BulkRecord>;
	/** null: there is no such job, or it has expired. */
	read(): Promise<BulkRecord | null>;
	/** Stops the job; changes that were already made remain. null: as above. */
	cancel(): Promise<BulkRecord | null>;
}
