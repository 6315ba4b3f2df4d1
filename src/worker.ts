/** The doors of the Worker: fetch, queue and the Durable Objects. Wiring only. */
import { app } from "./app.ts";
import type { Env } from "./env.ts";
import { EVENTS_QUEUE } from "./events/queue/message.ts";
import { takeBatch } from "./ingest/queues/queue-source.ts";
import { routeBatch } from "./routing/router.ts";

export { Dispatcher } from "./delivery/dispatcher.ts";
export { Hand } from "./delivery/hands/hand.ts";
export { EventLog } from "./events/log/event-log.ts";
export { Puller } from "./ingest/queues/puller.ts";
export { Watch } from "./ingest/silence/watch.ts";

export default {
	fetch: app.fetch,
	queue: (batch, env) => (batch.queue === EVENTS_QUEUE ? routeBatch(batch, env) : takeBatch(batch, env)),
} satisfies ExportedHandler<Env>;
