/** The bindings of the Worker with a queue that only remembers, or refuses, what it is sent. */
import { env } from "cloudflare:workers";
import type { Env } from "../../src/env.ts";
import { eventLog } from "../../src/objects/clients.ts";
import type { SluiceEvent } from "../../src/events/event.ts";
import { decodeMessage } from "../../src/events/queue/message.ts";
import { decodeSegment } from "../../src/events/queue/segment.ts";

export interface Captured {
	env: Env;
	/** Queue messages, oldest first. */
	messages: string[];
	/** The events of all messages, as the router would read them. */
	events(): Promise<SluiceEvent[]>;
}

export function captureQueue(refusal?: Error): Captured {
	const messages: string[] = [];
	const queue: Pick<Queue<string>, "send"> = {
		async send(message) {
			if (refusal !== undefined) throw refusal;
			messages.push(message);
			return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
		},
	};
	return {
		env: { ...env, EVENTS: queue as Queue<string> },
		messages,
		events: async () => (await Promise.all(messages.map(readMessage))).flat(),
	};
}

async function readMessage(body: string): Promise<SluiceEvent[]> {
	const message = decodeMessage(body);
	if (message.kind === "events") return message.events;
	const segments = await eventLog(env, message.logId).readSpilled(message.key);
	return segments.flatMap(decodeSegment);
}
