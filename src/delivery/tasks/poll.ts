/**
 * Handles a delivery that waits for the output of a job: polls the server, and ends the wait at the
 * deadline. Some servers return an output only once, and may do so at the deadline: the server is
 * polled then even if it should have called back.
 */
import { completionOf } from "../../models/completion.ts";
import type { Exchange, Reading } from "../../models/exchange.ts";
import type { Jobs, PollStep } from "../../models/jobs/jobs.ts";
import { reading } from "../../models/responses/reading.ts";
import { protocolOf } from "../../models/registry.ts";
import { isReadable, type ReadableEndpoint, type Subscription } from "../../store/records.ts";
import { subscriptionOf, type EndpointSettings } from "../../store/views/settings.ts";
import { log } from "../../log.ts";
import { idsOf } from "../log-lines.ts";
import type { AttemptResult } from "../rules/attempt.ts";
import { jobIdOf } from "../rules/attempts.ts";
import { readRetryAfter } from "../rules/retry-after.ts";
import { advance, type Delivery } from "../rules/delivery.ts";
import type { DeliveryEvent, Signal } from "../rules/delivery-event.ts";
import type { Waiting } from "../rules/state.ts";
import { complete, passDeadline } from "./complete.ts";
import { exchangeStep, type Reachable } from "./exchange-step.ts";
import { publishResult } from "./publish.ts";
import { SUBSCRIPTION_DELETED } from "./send.ts";
import type { Ran, Task, TaskIo } from "./task.ts";

/** A status request needs no long wait, ms. */
const MAX_POLL_MS = 30_000;

export const poll: Task = {
	name: "poll",
	phase: "waiting",
	passesGates: false,
	atOnce: 20,
	async run(delivery, settings, io) {
		const { state } = delivery;
		if (state.phase !== "waiting") return step(delivery, { kind: "brought_forward" });
		if (settings === "deleted") return impossible(delivery, "The endpoint has been deleted.");
		if (settings === "missing" || !isReadable(settings.endpoint)) return putOff(delivery);
		const ran = await look(delivery, state, settings, settings.endpoint, io);
		return { ...ran, delivery: await publishResult(ran.delivery, io.env) };
	},
};

async function look(
	delivery: Delivery,
	state: Waiting,
	settings: EndpointSettings,
	endpoint: ReadableEndpoint,
	io: TaskIo,
): Promise<Ran> {
	const reachable = { ...settings, endpoint };
	const isOver = state.job.deadlineAt <= Date.now();
	const subscription = await subscriptionOf(io.env, settings, delivery.subscriptionId);
	if (subscription === "deleted") {
		io.cancelJob(delivery, reachable);
		return impossible(delivery, SUBSCRIPTION_DELETED);
	}
	if (subscription === "missing" && !isOver) return putOff(delivery);
	const pollable = pollableOf(endpoint, state);
	const isPolled = state.job.isPolled === true || completionOf(endpoint).mode !== "callback";
	const asks = pollable !== null && (isOver || isPolled);
	const told = asks ? await askOrFail(delivery, reachable, pollable, io) : RUNNING;
	const current = io.current(delivery);
	// A callback has arrived in the meantime.
	if (current.state.phase !== "waiting") return { delivery: current, ended: null, signals: [] };
	if (told.kind === "ended") {
		if (subscription === "missing") return putOff(current);
		const ran = await completeOrFail(current, endpoint, subscription, told);
		if (ran !== null) return ran;
	} else if (!isOver) {
		const retryAfterMs = told.kind === "running" ? told.retryAfterMs : null;
		return step(current, { kind: "still_running", retryAfterMs, polls: asks }, told.signals);
	}
	// A bug in the router prevented the poll. The deadline still ends the wait.
	if (!isOver) return step(current, { kind: "still_running", retryAfterMs: null, polls: asks });
	io.cancelJob(current, reachable);
	return passDeadline(current, { retry: endpoint.retry, now: Date.now(), random: Math.random() });
}

/** null: the result could not be processed, which is a bug in the router. */
async function completeOrFail(
	delivery: Delivery,
	endpoint: ReadableEndpoint,
	subscription: Subscription,
	{ said, result }: Extract<Told, { kind: "ended" }>,
): Promise<Ran | null> {
	try {
		return await complete({
			delivery,
			endpoint,
			subscription,
			result,
			said,
			callbackToken: null,
			by: "poll",
			startedAt: null,
			former: null,
			now: Date.now(),
			random: Math.random(),
		});
	} catch (error) {
		log("delivery.failed", { ...idsOf(delivery), error: String(error) });
		return null;
	}
}

type Told = { signals: readonly Signal[] } & (
	| { kind: "running"; retryAfterMs: number | null }
	| { kind: "fetch" }
	| { kind: "ended"; said: Reading; result: AttemptResult }
);

interface Pollable {
	poll: NonNullable<Jobs["poll"]>;
	handle: string;
}

/** null: the server cannot be polled for the job. */
function pollableOf(endpoint: ReadableEndpoint, { job }: Waiting): Pollable | null {
	const askable = protocolOf(endpoint.protocol)?.jobs?.poll;
	return askable === undefined || job.handle === null ? null : { poll: askable, handle: job.handle };
}

const RUNNING: Extract<Told, { kind: "running" }> = { kind: "running", retryAfterMs: null, signals: [] };

async function askOrFail(...asked: Parameters<typeof ask>): Promise<Told> {
	try {
		return await ask(...asked);
	} catch (error) {
		// A bug in the router. The state of the job is unknown.
		log("delivery.failed", { ...idsOf(asked[0]), error: String(error) });
		return RUNNING;
	}
}

async function ask(
	delivery: Delivery,
	settings: Reachable,
	{ poll, handle }: Pollable,
	io: TaskIo,
): Promise<Told> {
	const { endpoint } = settings;
	for (const stepName of ["poll", "result"] as const) {
		const { url, model } = endpoint;
		const step = poll.request(stepName, handle, { url, model, jobId: jobIdOf(delivery) });
		const timeoutMs = Math.min(endpoint.timeoutSeconds * 1000, MAX_POLL_MS);
		const result = await exchangeStep(delivery, settings, { step, timeoutMs }, io);
		const heard = hear(result, stepName, poll);
		log("job.polled", {
			...idsOf(delivery),
			step: stepName,
			status_code: result?.kind === "response" ? result.status : null,
			job: heard.kind,
		});
		if (heard.kind !== "fetch") return heard;
	}
	return RUNNING;
}

/**
 * What a poll means for the delivery. If the server is busy, down or its response cannot be read,
 * the job still exists, and the server is polled again.
 */
function hear(result: AttemptResult | null, stepName: PollStep, poll: Pollable["poll"]): Told {
	if (result === null || result.kind === "no_response") return RUNNING;
	const { status, headers, body, failure } = result;
	const retryAfterMs = readRetryAfter(headers, Date.now());
	const passes = status === 408 || status === 429 || status >= 500;
	if (passes && stepName === "poll") return { ...RUNNING, retryAfterMs };
	// The job is still running; only this poll was refused.
	if (status === 401 || status === 403 || status === 407) {
		return { ...RUNNING, signals: [{ kind: "pause", reason: "unauthorized" }] };
	}
	if (status === 402) return { ...RUNNING, signals: [{ kind: "pause", reason: "quota" }] };
	if (failure !== null && status < 300) {
		// Another poll would return an output that is just as large.
		if (failure.error === "too_large") return { kind: "ended", said: reading(), result, signals: [] };
		return RUNNING;
	}
	const heard: Exchange = { status, headers, body, isStarting: false };
	const said = poll.read(stepName, heard);
	switch (said.kind) {
		case "running":
			return { ...RUNNING, retryAfterMs: said.retryAfterMs ?? retryAfterMs };
		case "fetch":
			return { kind: "fetch", signals: [] };
		case "lost":
			// The delivery starts again, as after any error.
			return { kind: "ended", said: reading({ class: "error", error: said.error }), result, signals: [] };
		case "ended":
			return { kind: "ended", said: said.reading, result, signals: [] };
	}
}

function putOff(delivery: Delivery): Ran {
	return step(delivery, { kind: "put_off", detail: "" });
}

function impossible(delivery: Delivery, detail: string): Ran {
	return step(delivery, { kind: "impossible", reason: "deleted", detail });
}

function step(delivery: Delivery, event: DeliveryEvent, signals: readonly Signal[] = []): Ran {
	const advanced = advance(delivery, event, { now: Date.now(), random: Math.random() });
	return { ...advanced, signals: [...advanced.signals, ...signals], ended: null };
}
