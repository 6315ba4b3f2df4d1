/** The doors of the Worker: fetch, queue and the Durable Objects. Wiring only. */
import { answerError, api } from "./api/app.ts";
import type { Env } from "./env.ts";
import { EVENTS_QUEUE } from "./events/message.ts";
import { takeBatch } from "./ingest/queue-source.ts";
import { receive } from "./ingest/receive.ts";
import { routeBatch } from "./routing/router.ts";

export { Dispatcher } from "./delivery/dispatcher.ts";
export { EventLog } from "./events/event-log.ts";
export { Puller } from "./ingest/puller.ts";

/** Publishers go straight to their room: there is but one route, and finding it is work on every event. */
const INGEST_URL = /^https?:\/\/[^/]+\/in\/([^/?#]+)(?:[?#]|$)/;

export default {
	fetch(request, env, ctx) {
		const source = INGEST_URL.exec(request.url)?.[1];
		if (source === undefined) return api.fetch(request, env, ctx);
		return receive(request, env, ctx, source).catch((error: unknown) => answerError(error, request));
	},
	queue: (batch, env) => (batch.queue === EVENTS_QUEUE ? routeBatch(batch, env) : takeBatch(batch, env)),
} satisfies ExportedHandler<Env>;
