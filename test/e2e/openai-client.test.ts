/** OpenAI's own client as the judge of what the router sends to servers that speak like OpenAI, and of its signatures. */
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { isFinished, unique } from "./support/api.ts";
import { answerJson } from "./support/behaviours.ts";
import type { ReceivedRequest } from "./support/receiver.ts";
import { setting } from "./support/setting.ts";

const stage = setting();
const TOKEN = "sk-a-token-of-a-test";
const messages = [
	{ role: "system" as const, content: "Summarise." },
	{ role: "user" as const, content: "Ada Lovelace wrote „é“ 😀" },
];
const chat = { messages, temperature: 0.5, max_completion_tokens: 20, stop: ["\n"] };
// The client asks for base64 unless it is told otherwise, and decodes it by itself.
const embeddings = { input: ["a cat", "two dogs"], dimensions: 2, encoding_format: "float" as const };

describe("a request is the client's for the same call", () => {
	test.each([
		{
			protocol: "openai-chat",
			data: chat as object,
			call: (client: OpenAI) => client.chat.completions.create({ ...chat, model: "m", stream: false }),
			response: {
				id: "c",
				object: "chat.completion",
				model: "m-1",
				choices: [],
				usage: { prompt_tokens: 3 },
			},
		},
		{
			protocol: "openai-embeddings",
			data: embeddings,
			call: (client: OpenAI) => client.embeddings.create({ ...embeddings, model: "m" }),
			response: { object: "list", model: "m-1", data: [], usage: { prompt_tokens: 3 } },
		},
	])("$protocol", async ({ protocol, data, call, response }) => {
		const { api, receiver } = stage;
		const model = receiver.model(answerJson(JSON.stringify(response)));
		const client = new OpenAI({ apiKey: TOKEN, baseURL: model.url, maxRetries: 0 });

		const said = await call(client);
		const delivery = await deliver(
			{
				protocol,
				url: model.url,
				model: "m",
				auth: { type: "bearer", token: TOKEN },
			},
			data,
		);

		const [theirs, ours, ...more] = model.requests;
		expect(more).toEqual([]);
		expect(partsOf(ours)).toEqual(partsOf(theirs));
		expect(delivery).toMatchObject({
			status: "succeeded",
			// What the client makes of the response, the router has recorded.
			result: JSON.parse(JSON.stringify(said)) as object,
			attempts: [{ model_version: said.model, usage: { input_tokens: said.usage?.prompt_tokens } }],
		});
		expect(await api.endpoint(delivery.endpoint_id)).toMatchObject({ status: "active" });
	});
});

test("its validator of webhooks accepts a delivery, and none of another body", async () => {
	const { api, receiver } = stage;
	const model = receiver.model(answerJson("{}"));
	const type = unique("response.completed");
	const endpoint = await api.createEndpoint({ url: model.url });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });
	const { webhooks } = new OpenAI({ apiKey: TOKEN, webhookSecret: endpoint.signing_secret });

	await api.publish({ type, data: { text: "é 😀" } });

	const { text, headers } = await model.request();
	const signed = headers as Record<string, string>;
	expect(await webhooks.unwrap(text, signed)).toMatchObject({ type, data: { text: "é 😀" } });
	await expect(webhooks.unwrap(`${text} `, signed)).rejects.toThrow(OpenAI.InvalidWebhookSignatureError);
});

async function deliver(endpoint: { url: string } & Record<string, unknown>, data: unknown) {
	const { api } = stage;
	const type = unique("document.created");
	const { id } = await api.createEndpoint(endpoint);
	await api.createSubscription({ endpoint: id, types: [type] });
	return api.deliveryWhen({ event: await api.publish({ type, data }) }, isFinished);
}

/** What a server of OpenAI's shape looks at. */
function partsOf(request: ReceivedRequest | undefined): unknown {
	if (request === undefined) throw new Error("There is no such request.");
	const { method, path, headers, text } = request;
	const { authorization, "content-type": contentType } = headers;
	return { method, path, authorization, contentType, body: JSON.parse(text) as unknown };
}
