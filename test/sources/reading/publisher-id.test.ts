import { describe, expect, test } from "vitest";
import { readPublished } from "../../../src/api/events/publishing.ts";
import { contentHash } from "../../../src/sources/reading/content-hash.ts";
import type { Parsed } from "../../../src/sources/kind.ts";
import { idFrom, readIdempotencyKey } from "../../../src/sources/reading/publisher-id.ts";
import type { ReadableSource } from "../../../src/store/records.ts";
import { makeSource } from "../make-source.ts";
import { settingsOf } from "../kind-settings.ts";
import { parseWith, sampleOf } from "../bind.ts";

/** How workerd hands over `café` in Latin-1, and every other word of the same length. */
const LOSSY = "caf\uFFFD";
const LONG = "x".repeat(1_025);

describe("a text as an id", () => {
	test.each([
		["as it is", "evt 1/é", "evt 1/é"],
		["a space at its end counts", "1 ", "1 "],
		["so does its case", "Abc", "Abc"],
		["the longest", "x".repeat(1_024), "x".repeat(1_024)],
		["hashed when it is longer", LONG, contentHash(LONG)],
		["longer in bytes", "é".repeat(513), contentHash("é".repeat(513))],
		["hashed when no attribute may hold it", "a\nb", contentHash("a\nb")],
		["none when it is empty", "", undefined],
		["none when it is no text", 7, undefined],
	])("%s", (_what, value, id) => {
		expect(idFrom(value)).toBe(id);
	});

	test("ids that UTF-8 cannot tell apart are two", () => {
		expect(idFrom("\ud800")).not.toBe(idFrom("\ud801"));
		expect(idFrom("\ud800")).not.toBe(idFrom("\uFFFD"));
		expect(idFrom("\ud800")).toBe(idFrom("\ud800"));
	});
});

async function idOf(kind: string, source: Partial<ReadableSource>, sent: Partial<Sent>): Promise<string> {
	const sample = sampleOf(kind, 0);
	const parsed = await parseWith(kind, {
		source: makeSource({ kind, settings: settingsOf(kind), ...source }),
		headers: new Headers({ ...sample.headers, ...sent.headers }),
		body: Buffer.from(sent.body ?? sample.body),
		now: 0,
		freshId: crypto.randomUUID(),
	});
	return only(parsed);
}

interface Sent {
	headers: Record<string, string>;
	body: string;
}

function only(parsed: Parsed | undefined): string {
	if (parsed?.ok !== true) throw new Error(`refused: ${parsed?.message}`);
	const [event] = parsed.events;
	if (event === undefined) throw new Error("no event");
	return event.attributes.id;
}

const signed: Partial<ReadableSource> = { auth: { type: "standard_webhooks" } };
const CLOUD_EVENT = { "ce-specversion": "1.0", "ce-source": "/s", "ce-type": "t" };

function unwrapped(headers: Record<string, string>): Promise<string> {
	return idOf("gcs-pubsub", {}, { headers: { ...CLOUD_EVENT, ...headers } });
}

function readKey(key: string | null): ReturnType<typeof readIdempotencyKey> {
	return readIdempotencyKey(new Headers(key === null ? {} : { "idempotency-key": key }));
}

describe("an id from a header", () => {
	const HEADERS: [kind: string, header: string, source?: Partial<ReadableSource>, more?: Partial<Sent>][] = [
		["generic", "webhook-id", signed],
		["generic", "svix-id", signed],
		["generic", "x-id", { dedupeKey: "headers.`x-id`" }],
		["generic", "x-tenant", { dedupeKey: 'headers.`x-tenant` & "/" & body.hello' }],
		["github", "x-github-delivery"],
		["shopify", "x-shopify-webhook-id"],
		["standard-webhooks", "webhook-id"],
		["standard-webhooks", "svix-id"],
		["gcs-pubsub", "x-goog-pubsub-message-id"],
		["debezium", "webhook-id", {}, { body: '{"a":1}' }],
	];

	test.each(HEADERS)(
		"%s %s: the same is the same, another is another",
		async (kind, header, source, more) => {
			const read = (id: string) => idOf(kind, source ?? {}, { ...more, headers: { [header]: id } });
			expect(await read("a 1")).toBe(await read("a 1"));
			expect(await read("a 1")).not.toBe(await read("a 2"));
			expect(await read(LONG)).toBe(await read(LONG));
			expect(await read(`${LONG}1`)).not.toBe(await read(`${LONG}2`));
			expect((await read(LONG)).length).toBeLessThanOrEqual(1_024);
		},
	);

	test.each(HEADERS)("%s %s: two that were no UTF-8 are two", async (kind, header, source, more) => {
		const read = () => idOf(kind, source ?? {}, { ...more, headers: { [header]: LOSSY } });
		expect(await read()).not.toBe(await read());
	});

	test("of an unwrapped message of Pub/Sub that has none, or lost a letter of its CloudEvent's", async () => {
		const none = { "x-goog-pubsub-message-id": "" };
		expect(await unwrapped(none)).not.toBe(await unwrapped(none));
		expect(await unwrapped({ "x-goog-pubsub-message-id": "7", "ce-id": LOSSY })).toBe("7");
		expect(await unwrapped({ "x-goog-pubsub-message-id": "7", "ce-id": "café" })).toBe("café");
	});
});

describe("an id from the body that is too long, or holds what no attribute may", () => {
	const BODIES: [kind: string, body: (id: string) => string][] = [
		["stripe", (id) => `{"id":${id},"type":"t"}`],
		["postgres", (id) => `{"id":${id},"type":"INSERT","schema":"s","table":"t","record":{}}`],
		["azure-eventgrid", (id) => `[{"id":${id},"eventType":"t"}]`],
		[
			"s3-eventbridge",
			(id) =>
				`{"id":${id},"source":"aws.s3","detail-type":"t","region":"r","detail":{"bucket":{"name":"b"}}}`,
		],
		[
			"hasura",
			(id) =>
				`{"id":${id},"event":{"op":"INSERT"},"table":{"schema":"s","name":"t"},"delivery_info":${Math.random()}}`,
		],
		["slack", (id) => `{"type":"t","event_id":${id},"retry":${Math.random()}}`],
		[
			"sequin",
			(id) =>
				`{"action":"insert","metadata":{"table_schema":"s","table_name":"t","idempotency_key":${id}},"retry":${Math.random()}}`,
		],
		["mongodb-atlas", (id) => `{"operationType":"x","_id":{"_data":${id}},"retry":${Math.random()}}`],
		["gcs-pubsub", (id) => `{"message":{"messageId":${id}}}`],
		["sqs", (id) => `{"MessageId":${id},"Body":"${Math.random()}"}`],
	];

	test.each(BODIES)("%s", async (kind, body) => {
		const read = (id: string) => idOf(kind, {}, { body: body(id) });
		for (const [one, other] of [
			[JSON.stringify(`${LONG}1`), JSON.stringify(`${LONG}2`)],
			[String.raw`"\ud800"`, String.raw`"\ud801"`],
			[String.raw`"a\u0000"`, String.raw`"a\u0001"`],
		] as const) {
			expect(await read(one)).toBe(await read(one));
			expect(await read(one)).not.toBe(await read(other));
			expect((await read(one)).length).toBeLessThanOrEqual(1_024);
		}
	});

	test.each(BODIES.filter(([kind]) => kind !== "gcs-pubsub" && kind !== "sqs"))(
		"%s: numbers keep their digits beyond 2^53",
		async (kind, body) => {
			const read = (id: string) => idOf(kind, {}, { body: body(id) });
			expect(await read("9007199254740993")).toBe("9007199254740993");
			expect(await read("9007199254740992")).toBe("9007199254740992");
		},
	);
});

describe("Idempotency-Key", () => {
	test.each([
		["as it is", "key-1", "key-1"],
		["hashed when it is too long", LONG, contentHash(LONG)],
		["none when it is empty", "", undefined],
		["none when there is none", null, undefined],
	])("%s", (_what, key, id) => {
		expect(readKey(key)).toEqual({ ok: true, id });
	});

	test("that was no UTF-8 is refused, wherever it is the id", async () => {
		const refusal = { ok: false, status: 400, code: "invalid_header", path: "idempotency-key" };
		expect(readKey(LOSSY)).toMatchObject(refusal);
		const headers = { "idempotency-key": LOSSY };
		await expect(idOf("generic", {}, { headers })).rejects.toThrow("not UTF-8");
		expect(await idOf("generic", { dedupeKey: '"own"' }, { headers })).toBe("own");
	});
});

/** As `POST /v1/events` reads it. Throws what refuses the request. */
async function idOfPublished(headers: Record<string, string>): Promise<string> {
	const request = new Request("https://sluice.example/v1/events", {
		method: "POST",
		headers: { "content-type": "application/json", ...headers },
		body: '{"type":"t"}',
	});
	const { events } = await readPublished(request, {
		freshId: crypto.randomUUID(),
		time: "2026-01-02T03:04:05Z",
	});
	return events[0]?.attributes.id ?? "";
}

type Place = [place: string, header: string, read: (id: string) => Promise<string>];

function inKind(kind: string, header: string, source: Partial<ReadableSource> = {}): Place {
	return [kind, header, (id) => idOf(kind, source, { headers: { [header]: id } })];
}

describe("a header with an id means the same everywhere", () => {
	const PLACES: Place[] = [
		["POST /v1/events", "idempotency-key", (id) => idOfPublished({ "idempotency-key": id })],
		inKind("generic", "idempotency-key"),
		inKind("generic", "webhook-id", signed),
		inKind("generic", "svix-id", signed),
		inKind("github", "x-github-delivery"),
		inKind("shopify", "x-shopify-webhook-id"),
		inKind("standard-webhooks", "webhook-id"),
		inKind("standard-webhooks", "svix-id"),
		inKind("gcs-pubsub", "x-goog-pubsub-message-id"),
	];

	describe.each(PLACES)("%s, %s", (_place, header, read) => {
		test.each([
			["plain", "key-1", "key-1"],
			["case and inner spaces count", "Key  1", "Key  1"],
			["beyond ASCII", "clé-鍵-🔑", "clé-鍵-🔑"],
			["percent-encoded: nothing is undone", "cl%C3%A9", "cl%C3%A9"],
			["the longest", "x".repeat(1_024), "x".repeat(1_024)],
			["the longest in bytes", "é".repeat(512), "é".repeat(512)],
			["longer", LONG, contentHash(LONG)],
			["longer in bytes", "é".repeat(513), contentHash("é".repeat(513))],
			["a control character", "a\u0001b", contentHash("a\u0001b")],
		])("%s", async (_what, id, expected) => {
			expect(await read(id)).toBe(expected);
		});

		test.each(["", " ", "\t "])("%j is not an id, so each event gets a new one", async (id) => {
			expect(await read(id)).not.toBe(await read(id));
		});

		test("one that was no UTF-8 never makes two events one", async () => {
			// A key that somebody made up for this is refused; what a service numbers its requests with is not.
			if (header === "idempotency-key") await expect(read(LOSSY)).rejects.toThrow("UTF-8");
			else expect(await read(LOSSY)).not.toBe(await read(LOSSY));
		});
	});
});
