/** A bulk job on the wire. */
import type * as z from "zod";
import type { BulkCounts } from "../../delivery/bulk/order.ts";
import type { BulkRecord, Unfinished } from "../../delivery/bulk/rpc.ts";
import type { Env } from "../../env.ts";
import { readEndpointRefs } from "../../store/resources/endpoints.ts";
import { formatTime } from "../fields/times.ts";
import type { bulkSchema } from "./fields.ts";

/** With the current names of the endpoints. */
export async function bulkToWire(env: Env, job: BulkRecord): Promise<z.output<typeof bulkSchema>> {
	const refs = await readEndpointRefs(
		env,
		job.endpoints.map(({ endpointId }) => endpointId),
	);
	return {
		id: job.id,
		action: job.action,
		dry_run: job.dryRun,
		filters: JSON.parse(job.asked) as Record<string, unknown>,
		status: job.status,
		detail: detailOf(job.unfinished),
		...countsToWire(job),
		endpoint_count: job.endpointCount,
		endpoints: job.endpoints.map(({ endpointId, status, ...counts }) => ({
			endpoint_id: endpointId,
			endpoint: refs.get(endpointId) ?? null,
			status,
			...countsToWire(counts),
		})),
		created_at: formatTime(job.createdAt),
		finished_at: formatTime(job.finishedAt),
	};
}

/** null: every endpoint that has ended finished its part. */
function detailOf({ unreachable, busy, forgotten }: Unfinished): string | null {
	const parts = [
		...(unreachable > 0 ? [`no response for a quarter of an hour: ${unreachable}`] : []),
		...(busy > 0 ? [`too many other unfinished bulk jobs: ${busy}`] : []),
		...(forgotten > 0 ? [`outcome no longer stored after too many other bulk jobs: ${forgotten}`] : []),
	];
	return parts.length === 0 ? null : `Endpoints: ${parts.join("; ")}.`;
}

function countsToWire({ matched, done, skipped, failed }: BulkCounts): BulkCounts {
	return { matched, done, skipped, failed };
}
