/** `/v1/bulk`: shows the progress of a bulk retry or cancel, and stops it. */
import { Hono } from "hono";
import type { BulkRecord } from "../../delivery/bulk/rpc.ts";
import { recordChange } from "../access/audit.ts";
import { Problem } from "../../http/problem.ts";
import { bulkJob } from "../../objects/clients.ts";
import type { ApiEnv } from "../http/context.ts";
import { bulkToWire } from "./wire.ts";

export const bulk = new Hono<ApiEnv>()
	.get("/:id", async (c) => {
		const job = existing(await bulkJob(c.env, c.req.param("id")).read());
		return c.json(await bulkToWire(c.env, job));
	})
	.post("/:id/cancel", async (c) => {
		const stub = bulkJob(c.env, c.req.param("id"));
		const former = existing(await stub.read());
		const job = existing(await stub.cancel());
		if (former.status === "running" && job.status === "canceled" && !job.dryRun) {
			await recordChange(c, {
				action: "cancel",
				resource: "bulk",
				before: toAudit(former),
				after: toAudit(job),
			});
		}
		return c.json(await bulkToWire(c.env, job));
	});

function toAudit({ id, action, status }: BulkRecord): Record<string, unknown> {
	return { id, action, status };
}

/** Throws 404. */
function existing(job: BulkRecord | null): BulkRecord {
	if (job !== null) return job;
	const detail = "There is no bulk job with this id. Bulk jobs are deleted a week after they end.";
	throw new Problem(404, "bulk_not_found", detail);
}
