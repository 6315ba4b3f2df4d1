/** What a model server tells of a job, and what comes of it. Shapes only; they cross from object to object. */
import type { Refusal } from "../http/refusal.ts";

export interface Callback {
	/** As which response it counts. */
	status: number;
	/** Names in lower case. */
	headers: Record<string, string>;
	/** null: larger than the limit. */
	body: Uint8Array<ArrayBuffer> | null;
}

export type CalledBack =
	/**
	 * taken: it has ended the job, and that is written. running: the job goes on. none: the delivery does not wait for it
	 * any more.
	 */
	{ ok: true; effect: "taken" | "running" | "none" } | Refusal;
