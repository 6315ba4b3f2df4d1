/** What routes get beside the request: bindings, the caller, and access to ingest. */
import type { Env } from "../../env.ts";
import type { TestMark } from "../../events/test-mark.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { Trust } from "../../sources/proof/trust.ts";
import type { Source } from "../../store/records.ts";
import type { Asker } from "../access/own.ts";

/**
 * The functions of ingest that the API needs; app.ts passes them in, because the API
 * does not import ingest.
 */
export interface Ingest {
	/**
	 * Handles a publisher's request. `trust`: whose public keys verify it, by default the providers'.
	 * `mark`: how events of a sample are marked.
	 */
	receive(
		request: Request,
		env: Env,
		ctx: Pick<ExecutionContext, "waitUntil">,
		sourceRef: string,
		trust?: Trust,
		mark?: TestMark,
	): Promise<Response>;
	/** Handles a sample as if it came from the source's queue; returns the ids of its events. */
	takeMessage(
		env: Env,
		source: Source,
		text: string,
		now: number,
		mark: TestMark,
	): Promise<{ ok: true; ids: string[] } | Refusal>;
	/** The source has changed: this isolate must drop its cached copy. */
	forgetSource(source: Source): void;
}

export interface ApiEnv {
	Bindings: Env;
	Variables: { ingest: Ingest } & Asker;
}
