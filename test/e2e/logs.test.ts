/** What an operator sees: one JSON line for each step, with ids and outcome, and nothing that must stay secret. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readableLine } from "../../scripts/loglines.ts";
import { startRouter } from "../../scripts/router.ts";
import type { Router } from "../../scripts/router.ts";
import { connect, isFinished, unique } from "./support/api.ts";
import { answer, answerJson } from "./support/behaviours.ts";
import { setting } from "./support/setting.ts";
import { until } from "./support/until.ts";

const ROOT_KEY = "logged-root-key";
const stage = setting();

let folder: string;
let router: Router;
const lines: string[] = [];

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), "sluice-logs-"));
	router = await startRouter({
		port: 0,
		vars: { ADMIN_TOKEN: ROOT_KEY, ALLOW_PRIVATE_ENDPOINTS: "true" },
		persistTo: folder,
		log: (line) => lines.push(line),
	});
});

afterAll(async () => {
	await router.stop();
	await rm(folder, { recursive: true, force: true });
});

test("each step of an event is one log line, without secrets or payloads", async () => {
	const api = connect(router.url, ROOT_KEY);
	const type = unique("scan");
	const model = stage.receiver.model(answer(500, "model-said-no"), answerJson('{"text":"answer-payload"}'));
	const source = await api.createSource({ auth: { type: "bearer" }, event_type: type });
	const endpoint = await api.createEndpoint({
		url: `${model.url}?key=url-secret`,
		auth: { type: "bearer", token: "endpoint-token" },
		retry: { schedule_seconds: [1] },
	});
	await api.createSubscription({
		endpoint: endpoint.id,
		source: source.id,
		result: { type: `${type}.read` },
	});

	const headers = { "content-type": "application/json", authorization: `Bearer ${source.secret}` };
	const accepted = await api.ingest(source.ingest_url, '{"text":"event-payload"}', headers);
	const eventId = String(accepted.body["id"]);
	const delivery = await api.deliveryWhen({ event: eventId }, isFinished);
	await api.ingest(source.ingest_url, "{}", { ...headers, authorization: "Bearer wrong-secret" });

	await until("the refusal to be told", () => told("ingest.refused")[0] ?? null);
	expect(told("ingest.refused")).toMatchObject([{ source: source.name, status: 401, code: "unauthorized" }]);
	expect(told("router.batch").flatMap(({ event_ids: ids }) => ids)).toContain(eventId);
	const ids = { delivery_id: delivery.id, event_id: eventId };
	expect(told("delivery.attempted")).toMatchObject([
		{ ...ids, attempt: 1, outcome: "error", status_code: 500 },
		{ ...ids, attempt: 2, outcome: "done", status_code: 200 },
	]);

	const output = lines.join("\n");
	for (const secret of [ROOT_KEY, source.secret, endpoint.signing_secret, "endpoint-token", "wrong-secret"]) {
		expect(output).not.toContain(secret);
	}
	for (const text of ["url-secret", "event-payload", "answer-payload", "model-said-no"]) {
		expect(output).not.toContain(text);
	}
});

/** The lines about one kind of step, oldest first. */
function told(event: string): Record<string, unknown>[] {
	return lines
		.filter((line) => line.startsWith("{"))
		.map((line) => JSON.parse(line) as Record<string, unknown>)
		.filter((entry) => entry["event"] === event);
}

test("the token in a callback URL is not shown by npm run dev", () => {
	const line = readableLine("[wrangler:info] POST /callbacks/dlv_1/token-of-the-delivery 200 OK (25ms)");
	expect(line).toContain("/callbacks/dlv_1/***");
	expect(line).not.toContain("token-of-the-delivery");
});
