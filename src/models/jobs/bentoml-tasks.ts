/**
 * Tasks of a BentoML service: `submit` returns an id, `status` returns the state of the task, and
 * `get` responds as the method itself would have.
 */
import { under, withQuery } from "../requests/address.ts";
import type { Exchange, Reading, StepRequest } from "../exchange.ts";
import { ended, endedInError, handleOf, refusedPoll } from "./handles.ts";
import type { JobContext, JobReading, Jobs, PollStep } from "./jobs.ts";
import { readData } from "../responses/output.ts";
import { errorTextOf, isSuccess, objectIn, requestIdOf, stringOf } from "../responses/reading.ts";

const RUNNING: JobReading = { kind: "running", retryAfterMs: null };

/**
 * Set on responses of the service itself; responses of a gateway, or refusals before the method
 * runs, lack it.
 */
const OWN_ID = "x-bentoml-request-id";

/** `routeOf`: the URL of the method. */
export function taskJobs(routeOf: (context: JobContext) => string): Jobs {
	const step = (
		method: StepRequest["method"],
		path: string,
		handle: string,
		context: JobContext,
	): StepRequest => ({
		method,
		url: withQuery(under(routeOf(context), path), "task_id", handle),
		headers: {},
		body: null,
	});
	return {
		defaultMode: "sync",
		// While a task runs, the service refuses others.
		holdsSlot: true,
		poll: {
			request: (name, handle, context) => step("GET", name === "poll" ? "/status" : "/get", handle, context),
			read: readStep,
		},
		cancel: (handle, context) => (handle === null ? null : step("PUT", "/cancel", handle, context)),
	};
}

/** What the response to `submit` says. */
export function submitted(exchange: Exchange): Partial<Reading> {
	const handle = handleOf(objectIn(exchange)?.["task_id"]);
	if (handle !== null) return { class: "accepted", handle };
	return { class: "error", error: "The response has no task_id: the method is not a BentoML task." };
}

function readStep(step: PollStep, exchange: Exchange): JobReading {
	return step === "poll" ? readStatus(exchange) : readResult(exchange);
}

function readStatus(exchange: Exchange): JobReading {
	if (!isSuccess(exchange)) return refusedPoll(exchange);
	const status = stringOf(objectIn(exchange)?.["status"]);
	switch (status) {
		case null:
			return endedInError(exchange, "The response does not contain the status of the task.");
		case "completed":
		case "failed":
			return { kind: "fetch" };
		case "canceled":
			return ended({ class: "error", error: "The task was canceled.", requestId: idOf(exchange) });
		default:
			return RUNNING;
	}
}

/**
 * The status is that of the method: 400 for an input that is refused, 500 for an error; but see
 * `isOfGateway`.
 */
function readResult(exchange: Exchange): JobReading {
	const requestId = idOf(exchange);
	if (isSuccess(exchange)) return ended({ output: readData(exchange), requestId });
	const { status } = exchange;
	const error = errorTextOf(exchange) ?? `The task failed with ${status}.`;
	if (isOfGateway(exchange) || (status === 400 && /\bis not completed yet\b/i.test(error))) return RUNNING;
	if (status === 400 || status === 422) return ended({ class: "bad_input", error, requestId });
	return refusedPoll(exchange);
}

/**
 * A response of a gateway says nothing about the task; the result can be requested
 * again.
 */
function isOfGateway({ status, headers }: Exchange): boolean {
	return (status === 408 || status === 429 || status >= 500) && headers[OWN_ID] === undefined;
}

function idOf(exchange: Exchange): string | null {
	return stringOf(exchange.headers[OWN_ID]) ?? requestIdOf(exchange);
}
