/** The router dies with work in hand, and goes on where it was. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startRouter } from "../../scripts/router.ts";
import type { Router } from "../../scripts/router.ts";
import { connect, isFinished, unique } from "./support/api.ts";
import type { Api } from "./support/api.ts";
import { answer, answerJson, hang } from "./support/behaviours.ts";
import { startReceiver } from "./support/receiver.ts";
import type { Receiver, ReceivedRequest } from "./support/receiver.ts";
import { until } from "./support/until.ts";

const EVENTS = 20;

let folder: string;
let receiver: Receiver;
let router: Router;
let api: Api;

beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "sluice-restart-"));
	receiver = await startReceiver();
	await start();
});

afterEach(async () => {
	await router.stop();
	await receiver.close();
	await rm(folder, { recursive: true, force: true });
});

test("after a crash, waiting deliveries are attempted, without loss or duplicates", async () => {
	const type = unique("scan");
	const model = receiver.model(answer(500));
	const endpoint = await api.createEndpoint({ url: model.url, retry: { schedule_seconds: [5, 5, 5] } });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });
	const events = await publishMany(type);
	await until("a first attempt of each", async () => {
		const deliveries = await api.deliveries({ endpoint: endpoint.id });
		return deliveries.filter(({ attempts }) => attempts.length > 0).length === EVENTS || null;
	});

	await router.stop("SIGKILL");
	model.requests.length = 0;
	model.behave(answerJson("{}"));
	await start();

	await expectAllSucceeded(events);
	expect(eventIds(model.requests)).toEqual(events.toSorted());
});

test("requests that were open when it died are made again under the same id", async () => {
	const type = unique("scan");
	const model = receiver.model(hang);
	const endpoint = await api.createEndpoint({ url: model.url, max_concurrency: 2, timeout_seconds: 60 });
	await api.createSubscription({ endpoint: endpoint.id, types: [type] });
	const events = await publishMany(type);
	await until(
		"all deliveries to be stored",
		async () => (await api.deliveries({ endpoint: endpoint.id })).length === EVENTS || null,
	);
	const open = [...(await model.received(2))];

	await router.stop("SIGKILL");
	model.requests.length = 0;
	model.behave(answerJson("{}"));
	await start();

	await expectAllSucceeded(events);
	expect(eventIds(model.requests)).toEqual(events.toSorted());
	const ids = model.requests.map(({ headers }) => headers["webhook-id"]);
	for (const { headers } of open) expect(ids).toContain(headers["webhook-id"]);
});

async function start(): Promise<void> {
	const vars = { ADMIN_TOKEN: "restart-key", ALLOW_PRIVATE_ENDPOINTS: "true" };
	router = await startRouter({ port: 0, vars, persistTo: folder });
	api = connect(router.url, vars.ADMIN_TOKEN);
}

function publishMany(type: string): Promise<string[]> {
	return Promise.all(Array.from({ length: EVENTS }, (_, data) => api.publish({ type, data })));
}

async function expectAllSucceeded(events: string[]): Promise<void> {
	for (const event of events) {
		expect(await api.deliveryWhen({ event }, isFinished)).toMatchObject({ status: "succeeded" });
	}
}

function eventIds(requests: ReceivedRequest[]): string[] {
	return requests.map(({ headers }) => String(headers["sluice-event-id"])).sort();
}
