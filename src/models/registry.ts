/** The protocols that an endpoint may use. To add one, add a file to protocols/ and a line below. */
import { bentoml } from "./protocols/bentoml.ts";
import { cloudevents } from "./protocols/cloudevents.ts";
import { cog } from "./protocols/cog.ts";
import { http } from "./protocols/http.ts";
import { huggingface } from "./protocols/huggingface.ts";
import { kserveV1 } from "./protocols/kserve-v1.ts";
import { openInference } from "./protocols/open-inference.ts";
import { openaiChat } from "./protocols/openai-chat.ts";
import { openaiEmbeddings } from "./protocols/openai-embeddings.ts";
import type { Protocol } from "./protocol.ts";
import { replicate } from "./protocols/replicate.ts";
import { queue } from "./protocols/queue.ts";
import { slack } from "./protocols/slack.ts";
import { sqs } from "./protocols/sqs.ts";
import { workersAi } from "./protocols/workers-ai.ts";

export const protocols = {
	http,
	cloudevents,
	"open-inference": openInference,
	"kserve-v1": kserveV1,
	"openai-chat": openaiChat,
	"openai-embeddings": openaiEmbeddings,
	cog,
	bentoml,
	huggingface,
	replicate,
	"workers-ai": workersAi,
	queue,
	sqs,
	slack,
} as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof protocols;

export function isProtocolName(name: string): name is ProtocolName {
	return Object.hasOwn(protocols, name);
}

export const PROTOCOL_NAMES = Object.keys(protocols).filter(isProtocolName);

/**
 * null for a protocol that this release does not know: a newer release has stored the endpoint.
 */
export function protocolOf(name: string): Protocol | null {
	return isProtocolName(name) ? protocols[name] : null;
}
