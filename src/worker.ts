/** The doors of the Worker: fetch, queue and the Durable Objects. Wiring only. */
import { Hono } from "hono";
import { answerError, api } from "./api/app.ts";
import type { Env } from "./env.ts";
import { takeBatch } from "./ingest/queue-source.ts";
import { receive } from "./ingest/receive.ts";
import { EVENTS_QUEUE } from "./events/message.ts";
import { routeBatch } from "./routing/router.ts";

export { Dispatcher } from "./delivery/dispatcher.ts";
export { EventLog } from "./events/event-log.ts";
export { Puller } from "./ingest/puller.ts";

const app = new Hono<{ Bindings: Env }>();
app.all("/in/:source", (c) => receive(c.req.raw, c.env, c.executionCtx, c.req.param("source")));
app.route("/", api);
app.onError(answerError);

export default {
	fetch: app.fetch,
	queue: (batch, env) => (batch.queue === EVENTS_QUEUE ? routeBatch(batch, env) : takeBatch(batch, env)),
} satisfies ExportedHandler<Env>;
