/**
 * Tells a server that a job is no longer needed. The response changes nothing: the delivery has
 * already moved on.
 */
import { protocolOf } from "../../models/registry.ts";
import { log } from "../../log.ts";
import { idsOf } from "../log-lines.ts";
import { jobIdOf } from "../rules/attempts.ts";
import type { Delivery } from "../rules/delivery.ts";
import { exchangeStep, type Reachable } from "./exchange-step.ts";
import type { CancelableJob, TaskIo } from "./task.ts";

const TIMEOUT_MS = 10_000;
const TRIES = 3;
const AGAIN_MS = 2_000;

/**
 * `delivery` as it was while it waited; without a `job`, the one that it waited for is canceled.
 * Never throws.
 */
export async function cancelJob(
	delivery: Delivery,
	settings: Reachable,
	io: Pick<TaskIo, "env" | "exchange">,
	job: CancelableJob | null = waitedFor(delivery),
): Promise<void> {
	const { endpoint } = settings;
	const jobs = protocolOf(endpoint.protocol)?.jobs;
	if (job === null || jobs?.cancel === undefined) return;
	const { url, model } = endpoint;
	const step = jobs.cancel(job.handle, { url, model, jobId: jobIdOf(delivery) });
	if (step === null) return;
	for (let tried = 1; tried <= TRIES; tried++) {
		const result = await exchangeStep(delivery, settings, { step, timeoutMs: TIMEOUT_MS }, io);
		const status = result?.kind === "response" ? result.status : null;
		log("job.cancel_asked", { ...idsOf(delivery), attempt: tried, status_code: status });
		// Any lower status is the server's final word; a retry would get the same response.
		if (status !== null && status < 500 && status !== 429) return;
		if (tried < TRIES) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS * tried));
	}
}

function waitedFor({ state }: Delivery): CancelableJob | null {
	return state.phase === "waiting" ? state.job : null;
}
