/** Tells a server that nobody waits for a job any more. What it says changes nothing: the delivery has gone on already. */
import { protocolOf } from "../../models/registry.ts";
import type { ReadableEndpoint } from "../../store/records.ts";
import { log } from "../../log.ts";
import { buildStepRequest } from "../exchange/step-request.ts";
import { idsOf } from "../log-lines.ts";
import type { Delivery } from "../rules/delivery.ts";
import type { TaskIo } from "./task.ts";

const TIMEOUT_MS = 10_000;
const TRIES = 3;
const AGAIN_MS = 2_000;

/** `delivery` as it was while it waited. Never throws. */
export async function cancelJob(
	delivery: Delivery,
	endpoint: ReadableEndpoint,
	io: Pick<TaskIo, "exchange">,
): Promise<void> {
	const { id: deliveryId, position, state } = delivery;
	const jobs = protocolOf(endpoint.protocol)?.jobs;
	if (state.phase !== "waiting" || jobs?.cancel === undefined) return;
	const { url, model } = endpoint;
	const step = jobs.cancel(state.job.handle, { url, model, deliveryId });
	if (step === null) return;
	for (let tried = 1; tried <= TRIES; tried++) {
		const startedAt = Date.now();
		const request = buildStepRequest({ endpoint, step, deliveryId, now: startedAt });
		const result = await io.exchange({
			deliveryId,
			position,
			startedAt,
			request,
			timeoutMs: TIMEOUT_MS,
			isStep: true,
		});
		const status = result?.kind === "response" ? result.status : null;
		log("job.cancel_asked", { ...idsOf(delivery), attempt: tried, status_code: status });
		// Anything below says what the server thinks of it, and asked again would say so again.
		if (status !== null && status < 500 && status !== 429) return;
		if (tried < TRIES) await new Promise((resolve) => setTimeout(resolve, AGAIN_MS * tried));
	}
}
