/** The protocols an endpoint may speak. A new one is a file beside this one and a line here. */
import { cloudevents } from "./cloudevents.ts";
import { http } from "./http.ts";
import type { Protocol } from "./protocol.ts";

export const protocols: Record<string, Protocol> = { http, cloudevents };
