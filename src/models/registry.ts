/** The protocols that an endpoint may use. To add one, add a file here and a line below. */
import { bentoml } from "./bentoml.ts";
import { cloudevents } from "./cloudevents.ts";
import { cog } from "./cog.ts";
import { http } from "./http.ts";
import { huggingface } from "./huggingface.ts";
import { kserveV1 } from "./kserve-v1.ts";
import { openInference } from "./open-inference.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiEmbeddings } from "./openai-embeddings.ts";
import type { Protocol } from "./protocol.ts";
import { replicate } from "./replicate.ts";
import { queue } from "./queue.ts";
import { slack } from "./slack.ts";
import { sqs } from "./sqs.ts";
import { workersAi } from "./workers-ai.ts";

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
