/** CloudEvents on the way in and out, as the official SDK and curl speak them. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { CloudEvent, emitterFor, HTTP, httpTransport, Mode } from "cloudevents";
import { beforeAll, describe, expect, test } from "vitest";
import { unique } from "../support/api.ts";
import type { Source } from "../support/api.ts";
import { answer } from "../support/behaviours.ts";
import type { Model, ReceivedRequest } from "../support/receiver.ts";
import { setting } from "../support/setting.ts";

const stage = setting();
const run = promisify(execFile);

/** Its URL carries the token, for publishers that can set no header. */
let source: Source;
/** A model that speaks binary mode and gets every event of the source. */
let model: Model;

beforeAll(async () => {
	const { api, receiver } = stage;
	model = receiver.model(answer(204));
	source = await api.createSource({ kind: "cloudevents", auth: { type: "url_token" } });
	const endpoint = await api.createEndpoint({ url: model.url, protocol: "cloudevents" });
	await api.createSubscription({ endpoint: endpoint.id, source: source.name });
});

function newEvent(subject: string): CloudEvent<unknown> {
	return new CloudEvent({
		id: unique("id"),
		type: "document.scanned",
		source: "/scanner/7",
		subject,
		time: "2026-11-01T12:00:00.000Z",
		dataschema: "https://example.com/schema.json",
		datacontenttype: "application/json",
		tenantid: "acme",
		data: { page: 1, title: "Müller & Söhne" },
	});
}

/** The request by which the model got the event with this CloudEvents id. */
function arrived(id: string): Promise<ReceivedRequest> {
	return model.request(({ headers }) => headers["ce-id"] === id);
}

/** As the SDK reads it. What it leaves to its caller is to decode header values (HTTP binding, section 3.1.3.2). */
function asEvent({ headers, text }: ReceivedRequest): CloudEvent<unknown> {
	const decoded = Object.entries(headers).map(([name, value]) => [name, decodeURIComponent(String(value))]);
	const event = HTTP.toEvent<unknown>({ headers: Object.fromEntries(decoded), body: text });
	if (Array.isArray(event)) throw new Error("One event was expected, not a batch.");
	return event as CloudEvent<unknown>;
}

describe("the JavaScript SDK", () => {
	test.each([
		// In this mode the SDK puts attributes into headers as they are, and Node refuses what is not Latin-1.
		["binary", Mode.BINARY, "scans/7.png"],
		["structured", Mode.STRUCTURED, "scans/Çafé 100% €.png"],
	])("in %s mode: the model gets an equal event", async (_, mode, subject) => {
		const event = newEvent(subject);
		await emitterFor(httpTransport(source.ingest_url), { mode })(event);
		expect(asEvent(await arrived(event.id)).toJSON()).toEqual(event.toJSON());
	});

	test("a batch: each event arrives, and the response names them in order", async () => {
		const { api } = stage;
		const events = ["scans/1.png", "scans/Çafé 100% €.png", "scans/3.png"].map(newEvent);
		const answer = await api.ingest(source.ingest_url, JSON.stringify(events), {
			"content-type": "application/cloudevents-batch+json; charset=utf-8",
		});
		expect(answer.status).toBe(202);
		const requests = await Promise.all(events.map(({ id }) => arrived(id)));
		expect(requests.map((request) => asEvent(request).toJSON())).toEqual(
			events.map((event) => event.toJSON()),
		);
		expect(answer.body["ids"]).toEqual(requests.map(({ headers }) => headers["sluice-event-id"]));
	});
});

describe("curl", () => {
	test("in binary mode, header values percent-encoded, body untouched", async () => {
		const id = unique("curl");
		const body = '{ "n": 9007199254740993 }';
		const attributes = { "ce-specversion": "1.0", "ce-id": id, "ce-source": "/curl", "ce-type": "test" };
		const subject = "caf%C3%A9%20%E2%82%AC%25";
		const answered = await curl(
			{ ...attributes, "ce-subject": subject, "content-type": "application/json" },
			body,
		);
		expect(JSON.parse(answered)).toEqual({ id: expect.stringMatching(/^evt_/) });
		const request = await arrived(id);
		expect(request.text).toBe(body);
		expect(decodeURIComponent(String(request.headers["ce-subject"]))).toBe("café €%");
	});

	const STRUCTURED = { "content-type": "application/cloudevents+json" };

	test("in structured mode, with a payload that is not JSON", async () => {
		const id = unique("curl");
		const bytes = Buffer.from([0, 255, 10, 13, 200]);
		const event = { specversion: "1.0", id, source: "/curl", type: "test", datacontenttype: "image/png" };
		await curl(STRUCTURED, JSON.stringify({ ...event, data_base64: bytes.toString("base64") }));
		const request = await arrived(id);
		expect(request.body.equals(bytes)).toBe(true);
		expect(request.headers["content-type"]).toBe("image/png");
	});

	test("an event without data", async () => {
		const id = unique("curl");
		await curl(STRUCTURED, JSON.stringify({ specversion: "1.0", id, source: "/curl", type: "tick" }));
		const request = await arrived(id);
		expect(request.body).toHaveLength(0);
		expect(request.headers["ce-type"]).toBe("tick");
	});
});

/** Posts to the source; answers what the router said. Fails on a status of 400 or more. */
async function curl(headers: Record<string, string>, body: string): Promise<string> {
	const options = Object.entries(headers).flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
	const { stdout } = await run("curl", [
		"--silent",
		"--show-error",
		"--fail-with-body",
		...options,
		"--data-binary",
		body,
		source.ingest_url,
	]);
	return stdout;
}
