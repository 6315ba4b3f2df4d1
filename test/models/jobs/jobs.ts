/** What a protocol makes of jobs, for tables. */
import type { CompletionMode } from "../../../src/store/records.ts";
import type { StepRequest } from "../../../src/models/exchange.ts";
import type { JobContext, JobReading, Jobs, PollStep } from "../../../src/models/jobs/jobs.ts";
import { type Captures, exchangeOf, find, outputText } from "../captures.ts";

type Said = Parameters<typeof exchangeOf>[0];

export function jobsOf(protocol: string): Jobs {
	const { jobs } = find(protocol);
	if (jobs === undefined) throw new Error(`${protocol} knows of no jobs`);
	return jobs;
}

const CONTEXT: JobContext = { url: "https://models.example.com", model: null, jobId: "dlv_1" };

export function stepRequest(
	protocol: string,
	step: PollStep | "cancel",
	handle: string | null,
	context: Partial<JobContext> = {},
): StepRequest | null {
	const jobs = jobsOf(protocol);
	const whole = { ...CONTEXT, ...context };
	if (step === "cancel") return jobs.cancel?.(handle, whole) ?? null;
	return jobs.poll?.request(step, handle ?? "", whole) ?? null;
}

/** A row of a table: the kind, and what goes with it. */
export function summary(said: JobReading): unknown {
	if (said.kind !== "ended") return "error" in said ? [said.kind, said.error] : said.kind;
	const { class: meaning, error } = said.reading;
	return [said.kind, meaning, meaning === null ? outputText(said.reading) : error];
}

export function readStep(protocol: string, step: PollStep, said: Said): JobReading {
	const { poll } = jobsOf(protocol);
	if (poll === undefined) throw new Error(`${protocol} is not polled`);
	return poll.read(step, exchangeOf(said));
}

export function readCallback(protocol: string, said: Omit<Said, "status">): JobReading {
	const read = jobsOf(protocol).readCallback?.(exchangeOf({ status: 200, ...said }));
	if (read === undefined) throw new Error(`${protocol} reads callbacks as responses`);
	return read;
}

export function captured(captures: object, name: string): Captures[string] {
	const capture = (captures as Captures)[name];
	if (capture === undefined) throw new Error(`no capture ${name}`);
	return capture;
}

export const POLLED = { completion: "poll" as CompletionMode };
