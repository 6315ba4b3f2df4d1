import examples from "@octokit/webhooks-examples";
import { HTTP } from "cloudevents";
import type { CloudEvent as SdkEvent } from "cloudevents";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkAttributes } from "../../src/events/cloudevents/attributes.ts";
import { encodeStructured, STRUCTURED_TYPE } from "../../src/events/cloudevents/cloudevents.ts";
import { type CloudEvent, MAX_BATCH_EVENTS } from "../../src/events/event.ts";
import type { Sample } from "../../src/sources/kind.ts";
import { fitAttributes } from "../../src/sources/reading/fit-attributes.ts";
import { KIND_NAMES } from "../../src/sources/registry.ts";
import { FLAT_DELETE, FLAT_INSERT, OUTBOX } from "./debezium/captured.ts";
import { CAPTURED as MINIO, HEADERS as MINIO_HEADERS } from "./minio/captured.ts";
import { makeSource } from "./make-source.ts";
import { settingsOf } from "./kind-settings.ts";
import { type SpoiledRequest, spoiled } from "./mutate.ts";
import { FRESH_ID, NOW } from "./parse.ts";
import { parseWith, sampleOf } from "./bind.ts";

const RUNS_PER_KIND = 300;

function form(body: string, headers: Record<string, string> = {}): Sample {
	return { headers: { "content-type": "application/x-www-form-urlencoded", ...headers }, body };
}

/** Real requests beside the kind's own sample. */
const MORE_SAMPLES: Readonly<Record<string, Sample[]>> = {
	debezium: [OUTBOX, FLAT_INSERT, FLAT_DELETE],
	github: examples
		.filter(({ name }) => ["push", "check_run", "issues", "marketplace_purchase"].includes(name))
		.flatMap(({ name, examples }) => {
			const headers = { "x-github-event": name, "x-github-delivery": "1-2" };
			const body = JSON.stringify(examples[0]);
			const json = { headers: { "content-type": "application/json", ...headers }, body };
			return [json, form(`payload=${encodeURIComponent(body)}`, headers)];
		}),
	minio: Object.values(MINIO).map((body) => ({ headers: MINIO_HEADERS, body })),
	slack: [
		form(
			"team_id=T1DC2JH3J&channel_id=G8PSS9T3V&command=%2Fweather&text=94070+%E2%82%AC&trigger_id=398.47.80",
		),
		form(
			`payload=${encodeURIComponent('{"type":"block_actions","trigger_id":"12.34","team":{"id":"T9"},"channel":{"id":"C9"}}')}`,
		),
	],
};

/** Where publishers write `source` and `dataschema` themselves, which are passed on as they came. */
const SPEAK_CLOUDEVENTS = new Set(["cloudevents", "debezium", "gcs-pubsub", "azure-eventgrid", "sqs"]);

describe("any mutation of a request gives valid events or a refusal", () => {
	test.each(KIND_NAMES)("%s", async (name) => {
		const samples = [sampleOf(name, NOW), ...(MORE_SAMPLES[name] ?? [])];
		await fc.assert(
			fc.asyncProperty(spoiled(samples), async (request) => {
				await checkOutcome(name, request);
			}),
			{ numRuns: RUNS_PER_KIND },
		);
	});

	test.each(KIND_NAMES)("%s: its sample is taken as it is", async (name) => {
		const { headers, body } = sampleOf(name, NOW);
		const request = { headers: Object.entries(headers), body: new TextEncoder().encode(body) };
		expect(await checkOutcome(name, request)).toBe(true);
	});
});

/** Whether the request was taken. */
async function checkOutcome(name: string, { headers, body }: SpoiledRequest): Promise<boolean> {
	const parsed = await parseWith(name, {
		source: makeSource({
			name: "publisher-1",
			kind: name,
			settings: settingsOf(name),
		}),
		headers: new Headers(headers),
		body,
		now: NOW,
		freshId: FRESH_ID,
	});
	if (!parsed.ok) {
		expect(parsed.status).toBeOneOf([400, 413, 415]);
		expect(parsed.code).toMatch(/^[a-z][a-z0-9_]+$/);
		expect(parsed.message).toMatch(/^\S.*\.$/s);
		return false;
	}
	expect(parsed.events.length).toBeLessThanOrEqual(MAX_BATCH_EVENTS);
	for (const { attributes, data } of parsed.events) {
		// As ingest does with whatever a kind returns: a prefix can make an attribute too long.
		const event = { attributes: fitAttributes(attributes, "publisher-1"), data };
		checkEvent(event, SPEAK_CLOUDEVENTS.has(name));
	}
	if (parsed.reply !== undefined) {
		expect(parsed.reply.status).toBe(200);
		expect(() => JSON.stringify(parsed.reply?.body)).not.toThrow();
	}
	return true;
}

/** By the router's own rules, and by those of the official SDK. */
function checkEvent(event: CloudEvent, isPassedOn: boolean): void {
	const { attributes, data } = event;
	const checked = checkAttributes(Object.entries({ specversion: "1.0", ...attributes }));
	expect(checked).toEqual({ ok: true, attributes });
	if (data?.kind === "json") expect(() => JSON.parse(data.text)).not.toThrow();
	const names = { id: attributes.id, source: attributes.source, type: attributes.type };
	expect(readBySdk(event)).toMatchObject(names);
	// It takes no number for data that JavaScript cannot hold, and JSON can.
	if (!isPassedOn) expect(readBySdk({ attributes, data: null }).validate()).toBe(true);
}

function readBySdk(event: CloudEvent): SdkEvent {
	const message = { headers: { "content-type": STRUCTURED_TYPE }, body: encodeStructured(event) };
	return HTTP.toEvent(message) as SdkEvent;
}
