/** The router as its own endpoint, and what else would go round for ever. */
import { expect, test } from "vitest";
import { type Api, isFinished, unique } from "./support/api.ts";
import { answerJson } from "./support/behaviours.ts";
import { setting } from "./support/setting.ts";
import { until } from "./support/until.ts";

const stage = setting();

/** A source, and an endpoint that posts into it under another name of the router. */
async function selfPosting(api: Api) {
	const source = await api.createSource({ kind: "generic", auth: { type: "bearer" } });
	const url = source.ingest_url.replace("127.0.0.1", "localhost");
	const endpoint = await api.createEndpoint({ url, auth: { type: "bearer", token: source.secret } });
	return { source, endpoint };
}

test("the router that posts to itself under another name stops at the second round", async () => {
	const { api } = stage;
	const { source, endpoint } = await selfPosting(api);
	const { id } = await api.createSubscription({ endpoint: endpoint.id, source: source.id });

	await api.ingest(source.ingest_url, '{"a":1}', {
		"content-type": "application/json",
		authorization: `Bearer ${source.secret}`,
	});

	const all = await until("the loop to stop", async () => {
		const deliveries = await api.deliveries({ endpoint: endpoint.id });
		return deliveries.length > 1 && deliveries.every(isFinished) ? deliveries : null;
	});
	expect(all).toHaveLength(2);
	const [stopped] = all.filter(({ reason }) => reason === "loop");
	const [first] = all.filter(({ status }) => status === "succeeded");
	expect(await api.must("GET", `/v1/events/${stopped?.event_id}`)).toMatchObject({
		cloudevent: { correlationid: first?.event_id, sluicehops: 1, sluicechain: id },
		matched: [{ dead: "loop" }],
	});
});

test("an event that an endpoint posts with the lineage header continues the chain of its delivery", async () => {
	const { api, receiver } = stage;
	const [asked, told] = [unique("asked"), unique("told")];
	const model = receiver.model(answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url });
	const subscription = await api.createSubscription({ endpoint: endpoint.id, types: [asked, told] });
	const eventId = await api.publish({ type: asked });
	const { headers } = await model.request();

	const lineage = { "sluice-lineage": String(headers["sluice-lineage"]) };
	const posted = await api.ask<{ id: string }>("POST", "/v1/events", { type: told }, lineage);

	await api.deliveryWhen({ event: posted.body.id }, isFinished);
	expect(await api.must("GET", `/v1/events/${posted.body.id}`)).toMatchObject({
		cloudevent: { correlationid: eventId, causationid: eventId, sluicechain: subscription.id },
		matched: [{ dead: "loop" }],
	});
	expect(model.requests).toHaveLength(1);
});

test("six endpoints that post to each other end, and the deliveries beyond the budget are named", async () => {
	const { api, receiver } = stage;
	const type = unique("mesh");
	const model = receiver.model(answerJson("{}"));
	const endpoint = await api.createEndpoint({ url: model.url });
	for (let index = 0; index < 6; index++) {
		await api.createSubscription({ endpoint: endpoint.id, types: [type], result: { type } });
	}

	await api.publish({ type });

	// Each of the six has a hundred requests behind it; without a budget there would be 1,956.
	await model.received(606);
	const dead = await until("everything else to be dead", async () => {
		const found = await deadOf(api, endpoint.id);
		return found.length >= 3_036 ? found : null;
	});
	expect(dead.filter(({ reason }) => reason === "loop")).toHaveLength(2_316);
	expect(dead.filter(({ reason }) => reason === "budget")).toHaveLength(720);
	expect(dead.find(({ reason }) => reason === "budget")?.detail).toContain("RESULT_BUDGET");
	expect(model.requests).toHaveLength(606);
});

async function deadOf(api: Api, endpointId: string): Promise<{ reason: string; detail: string }[]> {
	const dead: { reason: string; detail: string }[] = [];
	for (let cursor: string | null = ""; cursor !== null;) {
		const query = `endpoint=${endpointId}&status=dead&limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`;
		const page: { data: typeof dead; next_cursor: string | null } = await api.must(
			"GET",
			`/v1/deliveries?${query}`,
		);
		dead.push(...page.data);
		cursor = page.next_cursor;
	}
	return dead;
}
