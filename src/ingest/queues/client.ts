/** How other rooms reach the puller of a source. */
import type { Env } from "../../env.ts";
import type { Puller } from "./puller.ts";

export function puller(env: Env, sourceId: string): DurableObjectStub<Puller> {
	return env.PULLER.get(env.PULLER.idFromName(sourceId));
}
