/** Many events for several subscribers: none lost, none doubled. */
import { expect, test } from "vitest";
import { unique } from "./support/api.ts";
import { answerJson } from "./support/behaviours.ts";
import { setting } from "./support/setting.ts";

const EVENTS = 200;
const SUBSCRIBERS = 3;
/** Requests open at a time on the publisher's side. */
const PUBLISHERS = 10;

const stage = setting();

test(`${EVENTS} events reach ${SUBSCRIBERS} subscribers, each exactly once`, async () => {
	const { api, receiver } = stage;
	const type = unique("measurement");
	const source = await api.createSource({ auth: { type: "bearer" }, event_type: type });
	const models = Array.from({ length: SUBSCRIBERS }, () => receiver.model(answerJson("{}")));
	for (const model of models) {
		const endpoint = await api.createEndpoint({ url: model.url });
		await api.createSubscription({ endpoint: endpoint.id, source: source.id });
	}

	const accepted = await publishAll(async (number) => {
		const answer = await api.ingest(source.ingest_url, `{"number":${number}}`, {
			"content-type": "application/json",
			authorization: `Bearer ${source.secret}`,
		});
		expect(answer.status).toBe(202);
		return String(answer.body["id"]);
	});
	expect(new Set(accepted).size).toBe(EVENTS);

	for (const model of models) {
		const requests = await model.received(EVENTS);
		const events = requests.map(({ headers }) => String(headers["sluice-event-id"]));
		expect(events.sort()).toEqual(accepted.toSorted());
		expect(new Set(requests.map(({ headers }) => headers["webhook-id"])).size).toBe(EVENTS);
	}
});

async function publishAll(publish: (number: number) => Promise<string>): Promise<string[]> {
	const ids: string[] = [];
	let next = 0;
	await Promise.all(
		Array.from({ length: PUBLISHERS }, async () => {
			while (next < EVENTS) ids.push(await publish(next++));
		}),
	);
	return ids;
}
