/** What the routes are given beside the request: bindings, who asks, and the way to ingest. */
import type { Env } from "../../env.ts";
import type { Refusal } from "../../http/refusal.ts";
import type { Trust } from "../../sources/proof/trust.ts";
import type { Source } from "../../store/records.ts";
import type { Asker } from "../access/own.ts";

/** What the API needs of ingest, which it does not know itself; app.ts hands it over. */
export interface Ingest {
	/** Takes a publisher's request. `trust`: whose public keys prove it, by default the providers'. */
	receive(
		request: Request,
		env: Env,
		ctx: Pick<ExecutionContext, "waitUntil">,
		sourceRef: string,
		trust?: Trust,
	): Promise<Response>;
	/** Takes a message as if it had come from the source's queue; returns the ids of its events. */
	takeMessage(
		env: Env,
		source: Source,
		text: string,
		now: number,
	): Promise<{ ok: true; ids: string[] } | Refusal>;
	/** The source has changed: what this isolate remembers of it no longer holds. */
	forgetSource(source: Source): void;
}

export interface ApiEnv {
	Bindings: Env;
	Variables: { ingest: Ingest } & Asker;
}
