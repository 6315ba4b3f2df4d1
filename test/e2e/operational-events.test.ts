/** What the router says of itself reaches whoever asks for it, and nobody else. */
import { afterEach, expect, test } from "vitest";
import { unique } from "./support/api.ts";
import { answerJson } from "./support/behaviours.ts";
import type { ReceivedRequest } from "./support/receiver.ts";
import { setting } from "./support/setting.ts";
import { until } from "./support/until.ts";

const stage = setting();

/** All suites share one router, and nobody else asks for these events. */
const subscriptions: string[] = [];
afterEach(async () => {
	for (const id of subscriptions.splice(0)) await stage.api.must("DELETE", `/v1/subscriptions/${id}`);
});

async function subscribe(fields: { endpoint: string; source?: string; types?: string[] }): Promise<void> {
	subscriptions.push((await stage.api.createSubscription(fields)).id);
}

function bodyOf({ text }: ReceivedRequest): Record<string, unknown> {
	return JSON.parse(text) as Record<string, unknown>;
}

test("a model that refuses its credentials is reported as paused, once, to the subscribed endpoint", async () => {
	const { api, receiver } = stage;
	const type = unique("scan");
	const operators = receiver.model(answerJson("{}"));
	const everything = receiver.model(answerJson("{}"));
	const inbox = await api.createEndpoint({ url: operators.url });
	const other = await api.createEndpoint({ url: everything.url });
	await subscribe({ source: "sluice", types: ["sluice.endpoint.*"], endpoint: inbox.id });
	await subscribe({ types: ["sluice.*"], endpoint: other.id });

	const model = receiver.model((response) => response.writeHead(401).end());
	const endpoint = await api.createEndpoint({ url: model.url });
	await subscribe({ endpoint: endpoint.id, types: [type] });
	await api.publish({ type, data: { scan: 1 } });

	const subject = `${endpoint.name}@1`;
	const told = await operators.request((request) => bodyOf(request)["subject"] === subject);
	expect(bodyOf(told)).toMatchObject({
		specversion: "1.0",
		source: "/sluice",
		type: "sluice.endpoint.paused",
		subject,
		data: { endpoint_id: endpoint.id, endpoint: subject, reason: "unauthorized", suppressed: 0 },
	});

	model.behave(answerJson("{}"));
	await api.must("POST", `/v1/endpoints/${endpoint.id}/resume`);
	const recovered = await operators.request(
		(request) =>
			bodyOf(request)["type"] === "sluice.endpoint.recovered" && bodyOf(request)["subject"] === subject,
	);
	expect(bodyOf(recovered)["data"]).toMatchObject({ was: "paused", reason: "unauthorized" });
	expect(operators.requests.filter((request) => bodyOf(request)["subject"] === subject)).toHaveLength(2);
	expect(everything.requests).toEqual([]);
});

test("an endpoint that only receives operational events and refuses them is paused, and nothing reports it", async () => {
	const { api, receiver } = stage;
	const name = unique("refused");
	const witness = receiver.model(answerJson("{}"));
	const inbox = await api.createEndpoint({ url: witness.url });
	await subscribe({ source: "sluice", endpoint: inbox.id });
	const model = receiver.model((response) => response.writeHead(401).end());
	const endpoint = await api.createEndpoint({ url: model.url });
	await subscribe({ source: "sluice", types: ["sluice.key.*"], endpoint: endpoint.id });

	await api.must("POST", "/v1/keys", { name, role: "viewer" });
	await witness.request((request) => bodyOf(request)["subject"] === name);
	await until("the endpoint to be paused", async () => {
		const { status } = await api.endpoint(endpoint.id);
		return status === "paused" || null;
	});
	await api.must("DELETE", `/v1/keys/${name}`);
	await witness.request((request) => bodyOf(request)["type"] === "sluice.key.deleted");
	expect(model.requests).toHaveLength(1);
	const about = witness.requests.filter((request) => bodyOf(request)["subject"] === `${endpoint.name}@1`);
	expect(about).toEqual([]);
});
