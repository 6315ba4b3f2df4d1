/** The Worker's entry points: fetch, queues and the Durable Objects. Wiring only. */
import { app } from "./app.ts";
import { takeDeadLetters } from "./dead-letters/consumer.ts";
import type { Env } from "./env.ts";
import { ownQueue } from "./events/queue/names.ts";
import { takeBatch } from "./ingest/queues/queue-source.ts";
import { routeBatch } from "./routing/router.ts";

export { DeadLetters } from "./dead-letters/dead-letters.ts";
export { BulkJob } from "./delivery/bulk/bulk-job.ts";
export { Dispatcher } from "./delivery/dispatcher.ts";
export { Hand } from "./delivery/hands/hand.ts";
export { EventLog } from "./events/log/event-log.ts";
export { Puller } from "./ingest/queues/puller.ts";
export { Watch } from "./ingest/silence/watch.ts";

export default {
	fetch: app.fetch,
	queue: (batch, env) => {
		const own = ownQueue(batch.queue);
		if (own === null) return takeBatch(batch, env);
		return own === "events" ? routeBatch(batch, env) : takeDeadLetters(batch, env);
	},
} satisfies ExportedHandler<Env>;
