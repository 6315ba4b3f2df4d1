/** How other rooms reach the dispatcher of an endpoint. */
import type { Env } from "../env.ts";
import type { Dispatcher } from "./dispatcher.ts";

export function dispatcher(env: Env, endpointId: string): DurableObjectStub<Dispatcher> {
	return env.DISPATCHER.get(env.DISPATCHER.idFromName(endpointId));
}
