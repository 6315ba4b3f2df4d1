/** A record above the limit is an event that says so: refused, it would halt all capture. Through the route. */
import { describe, expect, test } from "vitest";
import { type CloudEvent, MAX_BATCH_EVENTS } from "../../../src/events/event.ts";
import { sign } from "../../../src/sources/proof/sign.ts";
import { captureQueue } from "../capture.ts";
import { type Sent, post, sourceOf } from "../bad-input.ts";
import { OUTBOX } from "./captured.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const MB = 1_048_576;
const BIG = "x".repeat(MB);

const change = (id: number, content: string, changes: object = {}) =>
	JSON.stringify({
		before: null,
		after: { id, content },
		source: {
			connector: "postgresql",
			name: "docs",
			ts_ms: 5,
			db: "app",
			schema: "public",
			table: "documents",
			lsn: 77,
		},
		op: "c",
		ts_ms: 6,
		...changes,
	});

async function sent(body: string, changes: Sent = {}, auth = sourceOf("debezium", SECRET).auth) {
	const queue = captureQueue();
	const response = await post({ ...sourceOf("debezium", SECRET), auth }, queue, { body, ...changes });
	return { status: response.status, answer: await response.json(), events: await queue.events(), queue };
}

const STUB = {
	type: "public.documents.insert",
	schema: "public",
	table: "documents",
	operation: "insert",
	key: "1",
	max_size: MB,
};

function dataOf(event: CloudEvent | undefined): Record<string, unknown> {
	if (event?.data?.kind !== "json") throw new Error("the event has no JSON");
	return JSON.parse(event.data.text) as Record<string, unknown>;
}

test("a record alone: key, table, operation and size, without its row", async () => {
	const body = change(1, BIG);
	const { status, answer, events } = await sent(body);
	expect(status).toBe(202);
	expect(events).toHaveLength(1);
	expect(answer).toEqual({ id: events[0]?.id });
	expect(events[0]?.attributes).toEqual({
		id: expect.stringMatching(/^[0-9a-f]{64}$/),
		source: "/debezium/postgresql/docs",
		type: "debezium.record.too_large",
		subject: "documents/1",
		time: "1970-01-01T00:00:00.005Z",
		datacontenttype: "application/json",
	});
	expect(dataOf(events[0])).toEqual({ ...STUB, size: body.length });
});

test("one in a list: the others are events as ever, in order", async () => {
	const small = [change(2, "é"), change(3, "b"), change(4, "c")];
	const { status, answer, events } = await sent(`[${small[0]},${change(1, BIG)}, ${small[1]},${small[2]}]`);
	expect(status).toBe(202);
	expect(answer).toEqual({ ids: events.map(({ id }) => id) });
	expect(events.map(({ attributes }) => attributes.type)).toEqual([
		"public.documents.insert",
		"debezium.record.too_large",
		"public.documents.insert",
		"public.documents.insert",
	]);
	expect(events.filter((_, index) => index !== 1).map(({ data }) => data)).toEqual(
		small.map((text) => ({ kind: "json", text })),
	);
});

test("many that fit: none is lost, and no message is larger than ever", async () => {
	const records = Array.from({ length: 60 }, (_, index) => change(index, "x".repeat(100_000)));
	const { status, events, queue } = await sent(`[${records.join()}]`);
	expect(status).toBe(202);
	expect(events.map(({ data }) => data)).toEqual(records.map((text) => ({ kind: "json", text })));
	expect(new Set(events.map(({ id }) => id)).size).toBe(60);
	expect(queue.messages.length).toBeGreaterThanOrEqual(6);
});

describe("its type, in every format", () => {
	const cloudEvent = {
		specversion: "1.0",
		id: "lsn:77",
		source: "/debezium/postgresql/docs",
		type: "io.debezium.connector.postgresql.DataChangeEvent",
		iodebeziumop: "u",
		iodebeziumschema: "public",
		iodebeziumtable: "documents",
		data: { before: { id: 1, content: BIG }, after: { id: 1, content: BIG } },
	};
	test.each([
		[
			"with its schema",
			`{"schema":{"type":"struct","fields":["${BIG}"]},"payload":${change(1, "a")}}`,
			"insert",
		],
		["a delete", change(1, "", { op: "d", before: { id: 1, content: BIG }, after: null }), "delete"],
		["the row behind its envelope", change(1, "").replace(/}$/, `,"padding":"${BIG}"}`), "insert"],
		["a CloudEvent", JSON.stringify(cloudEvent), "update"],
		[
			"a CloudEvent with its schema",
			JSON.stringify({ ...cloudEvent, data: { schema: {}, payload: cloudEvent.data } }),
			"update",
		],
		[
			"a flattened row",
			JSON.stringify({ content: BIG, id: 1, __op: "u", __table: "documents", __schema: "public", __lsn: 5 }),
			"update",
		],
	])("%s", async (_what, body, operation) => {
		const { status, events } = await sent(body);
		expect(status).toBe(202);
		expect(events).toHaveLength(1);
		const [event] = events;
		expect(event?.attributes).toMatchObject({ type: "debezium.record.too_large", subject: "documents/1" });
		expect(dataOf(event)).toEqual({
			...STUB,
			operation,
			type: `public.documents.${operation}`,
			size: Buffer.byteLength(body),
		});
	});

	test("an event of an outbox", async () => {
		// The signature brings an id of the request with it.
		const { "webhook-id": _, ...headers } = OUTBOX.headers;
		const { events } = await sent(`{"text":"${BIG}"}`, { headers });
		expect(dataOf(events[0])).toMatchObject({ type: "OrderPlaced" });
	});

	test("records that are not row changes", async () => {
		const { status, events } = await sent(JSON.stringify({ ddl: BIG }));
		expect(status).toBe(202);
		expect(dataOf(events[0])).toMatchObject({ type: "debezium.record", table: null, key: null });
	});
});

const idOf = async (body: string) => (await sent(body)).events[0]?.attributes.id;
const keyless = (content: string) => change(1, "", { after: { content } });

describe("its id", () => {
	test("is the same when it is read again", async () => {
		expect(await idOf(change(1, BIG, { ts_ms: 9 }))).toBe(await idOf(change(1, BIG)));
	});

	test("distinguishes rows without a key at the same position in the log", async () => {
		expect(await idOf(keyless(`${BIG}a`))).not.toBe(await idOf(keyless(`${BIG}b`)));
	});
});

test("the room for large requests is free again after each, whether the queue took it or not", async () => {
	const list = `[${Array(12)
		.fill(change(2, BIG.slice(1_000)))
		.join()}]`;
	const source = sourceOf("debezium", SECRET);
	for (const refusal of [undefined, new Error("the queue is away"), undefined, undefined]) {
		const { status } = await post(source, captureQueue(refusal), { body: list });
		expect(status).toBe(refusal === undefined ? 202 : 503);
	}
});

describe("refused, and nothing stored", () => {
	const big = change(1, BIG);
	test.each<[what: string, body: string, changes: Sent, status: number, code: string]>([
		["another secret", big, { signedWith: `whsec_${"A".repeat(32)}` }, 401, "unauthorized"],
		["no signature", big, { unproven: true }, 401, "unauthorized"],
		["an old signature", big, { age: 302_000 }, 401, "unauthorized"],
		["cut", big.slice(0, -1), {}, 400, "invalid_json"],
		["a list with a bad record", `[${big},{"a":1,"a":2}]`, {}, 400, "duplicate_member"],
		["a list with no record", `[${big},7]`, {}, 400, "invalid_payload"],
		[
			"more together than is kept",
			`[${Array(18)
				.fill(change(2, BIG.slice(1_000)))
				.join()}]`,
			{},
			413,
			"body_too_large",
		],
		[
			"too many",
			`[${Array(MAX_BATCH_EVENTS + 1)
				.fill(change(2, "y".repeat(10)))
				.join()}]`,
			{},
			413,
			"too_many_events",
		],
		["compressed", big, { headers: { "content-encoding": "gzip" } }, 415, "unsupported_content_encoding"],
	])("%s", async (_what, body, changes, status, code) => {
		const { answer, events } = await sent(body, changes);
		expect(answer).toMatchObject({ status, code });
		expect(events).toEqual([]);
	});

	test("an invalid record is named by its position in the whole body, or not at all", async () => {
		const fitting = change(2, BIG.slice(1_000));
		const { answer } = await sent(`[${fitting},${fitting},7]`);
		expect(answer).toMatchObject({ errors: [{ path: "[2]" }] });
		const { answer: broken } = await sent(`[${fitting},${fitting},{"a":x}]`);
		expect(broken).toMatchObject({ code: "invalid_json", detail: "The body is not valid JSON." });
	});

	test("a changed byte in the middle", async () => {
		const proof = sign(
			{ type: "standard_webhooks" },
			SECRET,
			{ url: "", headers: {}, body: big },
			Date.now(),
		);
		const body = big.replace("xxx", "xyx");
		const { status } = await sent(body, { unproven: true, headers: { ...proof?.headers } });
		expect(status).toBe(401);
	});

	test("a token that is wrong", async () => {
		const { status } = await sent(big, { signedWith: "somebody-else's-secret" }, { type: "bearer" });
		expect(status).toBe(401);
	});

	/** Its signature takes the whole body at once. */
	test("by HMAC, a body above the limit", async () => {
		const hmac = { type: "hmac", header: "x-mac", algorithm: "sha256", encoding: "hex", prefix: "" } as const;
		expect(await sent(big, {}, hmac)).toMatchObject({ status: 413 });
	});
});

test("a token is enough where the source asks for one", async () => {
	const { status, events } = await sent(change(1, BIG), {}, { type: "bearer" });
	expect(status).toBe(202);
	expect(dataOf(events[0])).toMatchObject(STUB);
});

/** Above what other kinds listen to at all. */
test("a record of 40 MB", async () => {
	const body = change(1, "x".repeat(40 * MB));
	const { status, events } = await sent(body);
	expect(status).toBe(202);
	expect(dataOf(events[0])).toEqual({ ...STUB, size: body.length });
});
