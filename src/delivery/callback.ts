/**
 * What a model server reports about a job in a callback, and the result of handling it. Shapes
 * only; they are passed between Durable Objects.
 */
import type { Refusal } from "../http/refusal.ts";

export interface Callback {
	/** The attempt that its URL belongs to; null or absent: the URL does not say, as URLs of earlier builds. */
	attempt?: number | null;
	/** The response status that the callback counts as. */
	status: number;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** null: larger than the limit. */
	body: Uint8Array<ArrayBuffer> | null;
}

export type CalledBack =
	/**
	 * taken: the callback ended the job, and this is stored. running: the job is still running. none:
	 * the delivery no longer waits for the job.
	 */
	{ ok: true; effect: "taken" | "running" | "none" } | Refusal;
