import { describe, expect, test } from "vitest";
import { MAX_BATCH_EVENTS } from "../../../src/events/event.ts";
import type { SetupVariant } from "../../../src/sources/kind.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { RECEIVED_AT, parseAs, parseOne } from "../parse.ts";
import { setupAs } from "../bind.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** The create event of Debezium's page on PostgreSQL, without its schema. */
const CREATED = `{
  "before": null,
  "after": { "id": 9007199254740993, "first_name": "Anne", "balance": 10.50 },
  "source": { "version": "3.3.1.Final", "connector": "postgresql", "name": "PostgreSQL_server",
    "ts_ms": 1559033904863, "ts_us": 1559033904863123, "snapshot": true, "db": "postgres",
    "sequence": "[\\"24023119\\",\\"24023128\\"]", "schema": "public", "table": "customers",
    "txId": 555, "lsn": 24023128, "xmin": null },
  "op": "c",
  "ts_ms": 1559033904900
}`;

/** The example of Debezium's page on CloudEvents, with the names of current versions. */
const CLOUD_EVENT = {
	id: "name:test_server;lsn:29274832;txId:565",
	source: "/debezium/postgresql/test_server",
	specversion: "1.0",
	type: "io.debezium.connector.postgresql.DataChangeEvent",
	time: "2020-01-13T13:55:39.738Z",
	datacontenttype: "application/json",
	iodebeziumop: "r",
	iodebeziumversion: "3.3.1.Final",
	iodebeziumconnector: "postgresql",
	iodebeziumname: "test_server",
	iodebeziumtsms: "1578923739738",
	iodebeziumsnapshot: "true",
	iodebeziumdb: "postgres",
	iodebeziumschema: "s1",
	iodebeziumtable: "a",
	iodebeziumlsn: "29274832",
	iodebeziumxmin: null,
	iodebeziumtxid: "565",
	iodebeziumtxtotalorder: null,
	data: { before: null, after: { pk: 1, name: "Bob" } },
};
const CLOUD_EVENTS = { "content-type": "application/cloudevents+json" };

function change(changes: { source?: object; [member: string]: unknown }): string {
	const source = { connector: "mysql", name: "mysql-server-1", db: "inventory", table: "customers" };
	return JSON.stringify({
		before: null,
		after: null,
		op: "c",
		...changes,
		source: { ...source, ...changes.source },
	});
}

test("a change, with the text of its envelope as it came", async () => {
	expect(await parseAs("debezium", { body: CREATED })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: expect.stringMatching(/^[0-9a-f]{64}$/),
					source: "/debezium/postgresql/PostgreSQL_server",
					type: "public.customers.insert",
					subject: "customers/9007199254740993",
					time: "2019-05-28T08:58:24.863Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: CREATED },
			},
		],
		batch: false,
	});
});

describe("the type of a change", () => {
	test.each([
		[
			"an update",
			{ op: "u", before: { id: 7 }, after: { id: 7 } },
			"inventory.customers.update",
			"customers/7",
		],
		["a delete", { op: "d", before: { id: "a b" } }, "inventory.customers.delete", "customers/a b"],
		["a row of a snapshot", { op: "r", after: { id: 7 } }, "inventory.customers.read", "customers/7"],
		["a truncation", { op: "t" }, "inventory.customers.truncate", "customers"],
		["a row without the key", { after: { name: "x" } }, "inventory.customers.insert", "customers"],
		["a schema wins over the database", { source: { schema: "s" } }, "s.customers.insert", "customers"],
		[
			"MongoDB, whose row is a text",
			{ source: { connector: "mongodb", table: undefined, collection: "docs" }, after: '{"_id":1}' },
			"inventory.docs.insert",
			"docs",
		],
		["an operation nobody knows", { op: "constructor" }, "debezium.record", "customers"],
		["a message of PostgreSQL", { op: "m", source: { table: "", schema: "" } }, "debezium.record", undefined],
	])("%s", async (_what, changes, type, subject) => {
		const { attributes } = await parseOne("debezium", { body: change(changes) });
		expect(attributes.type).toBe(type);
		expect(attributes.subject).toBe(subject);
	});

	test("the key column is the source's to say", async () => {
		const source = { settings: { primary_key: "uuid" } };
		const body = change({ after: { id: 1, uuid: "u-1" } });
		expect((await parseOne("debezium", { body, source })).attributes.subject).toBe("customers/u-1");
	});

	test.each([
		["a transaction", '{"status":"BEGIN","id":"571:53195829","ts_ms":1486500577125,"event_count":null}'],
		["a schema change", '{"source":{"name":"s"},"ts_ms":1,"databaseName":"inventory","ddl":"ALTER TABLE x"}'],
		["a flattened row", '{"id":1,"name":"Anne","__op":"c"}'],
	])("%s is taken, because a refusal would end the capture", async (_what, body) => {
		const { attributes, data } = await parseOne("debezium", { body });
		expect(attributes).toMatchObject({ type: "debezium.record", time: RECEIVED_AT });
		expect(data).toEqual({ kind: "json", text: body });
	});
});

const idOf = async (body: string, headers = {}) =>
	(await parseOne("debezium", { body, headers })).attributes.id;

describe("the id", () => {
	test("is the same when the change is read again", async () => {
		const again = CREATED.replace("1559033904900", "1559033999999")
			.replace("3.3.1.Final", "3.4.0.Final")
			.replace("24023119", "null");
		expect(await idOf(again)).toBe(await idOf(CREATED));
	});

	test.each([
		["another place in the log", '"lsn": 24023128', '"lsn": 24023129'],
		["another row at the same place", '"Anne"', '"Bert"'],
		["another operation", '"op": "c"', '"op": "u"'],
		["another table", '"customers"', '"orders"'],
		["a number that only JSON.parse takes for the same", "9007199254740993", "9007199254740992"],
	])("differs for %s", async (_what, from, to) => {
		expect(await idOf(CREATED.replace(from, to))).not.toBe(await idOf(CREATED));
	});

	test("of a CloudEvent begins with Debezium's own, and distinguishes the rows of a snapshot", async () => {
		const other = { ...CLOUD_EVENT, data: { before: null, after: { pk: 2, name: "Bob" } } };
		const [first, second, again] = await Promise.all(
			[CLOUD_EVENT, other, CLOUD_EVENT].map((event) => idOf(JSON.stringify(event), CLOUD_EVENTS)),
		);
		expect(first).toMatch(/^name:test_server;lsn:29274832;txId:565;[0-9a-f]{16}$/);
		expect(second).not.toBe(first);
		expect(again).toBe(first);
	});
});

/** What ExtractNewRecordState leaves of a change: a row that is set back reads as it did before. */
describe("the id of a flattened row", () => {
	const row = '{"id":1,"status":"new","__deleted":"false"}';

	test("is the same when the request is sent again", async () => {
		const [first, again, another] = await Promise.all(
			["msg_1", "msg_1", "msg_2"].map((id) => idOf(row, { "webhook-id": id })),
		);
		expect(again).toBe(first);
		expect(another).not.toBe(first);
	});

	test("is new where requests have no id", async () => {
		const queue = captureQueue();
		const source = { ...sourceOf("debezium"), auth: { type: "bearer" } as const };
		await post(source, queue, { body: row });
		await post(source, queue, { body: row });
		const [first, second] = await queue.events();
		expect(second?.id).not.toBe(first?.id);
	});

	test("distinguishes two in a list", async () => {
		const parsed = await parseAs("debezium", { body: `[${row},${row}]` });
		const ids = parsed.ok ? parsed.events.map(({ attributes }) => attributes.id) : [];
		expect(new Set(ids).size).toBe(2);
	});
});

const parseEvent = (event: object) =>
	parseOne("debezium", {
		headers: CLOUD_EVENTS,
		body: JSON.stringify(event),
		source: { settings: { primary_key: "pk" } },
	});

describe("CloudEvents", () => {
	test("keep their attributes; type and subject say which row", async () => {
		const { attributes, data } = await parseEvent(CLOUD_EVENT);
		const { id: _, specversion: __, data: own, ...rest } = CLOUD_EVENT;
		const kept = Object.entries(rest).filter(([, value]) => value !== null);
		expect(attributes).toEqual({
			...Object.fromEntries(kept),
			id: expect.any(String),
			type: "s1.a.read",
			subject: "a/1",
		});
		expect(data).toEqual({ kind: "json", text: JSON.stringify(own) });
	});

	test("without table or operation keep their type", async () => {
		const { iodebeziumtable: _, ...event } = CLOUD_EVENT;
		expect((await parseEvent(event)).attributes.type).toBe(CLOUD_EVENT.type);
	});

	test("values that CloudEvents cannot hold do not refuse a record", async () => {
		const body = JSON.stringify({ ...CLOUD_EVENT, iodebezium_x: 1, iodebeziumobject: {}, iodebeziumlsn: 0 });
		const exact = body.replace('"iodebeziumlsn":0', '"iodebeziumlsn":9007199254740993');
		const { attributes } = await parseOne("debezium", { headers: CLOUD_EVENTS, body: exact });
		expect(attributes["iodebeziumlsn"]).toBe("9007199254740993");
		expect(attributes).not.toHaveProperty("iodebezium_x");
		expect(attributes).not.toHaveProperty("iodebeziumobject");
	});

	test("their data is taken out of its schema", async () => {
		const body = JSON.stringify(CLOUD_EVENT).replace(
			/"data":.*/,
			'"data":{"schema":{"type":"struct"},"payload":{"before":null,"after":{"pk": 1.0}}}}',
		);
		const { data } = await parseOne("debezium", { headers: CLOUD_EVENTS, body });
		expect(data).toEqual({ kind: "json", text: '{"before":null,"after":{"pk": 1.0}}' });
	});

	test.each([
		["no type", { type: undefined }, 400, "invalid_cloudevent"],
		[
			"data that is no JSON",
			{ datacontenttype: "application/avro", data: "T2Jq" },
			415,
			"unsupported_media_type",
		],
	])("refused: %s", async (_what, changes, status, code) => {
		const body = JSON.stringify([CLOUD_EVENT, { ...CLOUD_EVENT, ...changes }]);
		const refusal = { ok: false, status, code, path: expect.stringMatching(/^\[1\]\./) };
		expect(await parseAs("debezium", { headers: CLOUD_EVENTS, body })).toMatchObject(refusal);
	});
});

describe("Kafka's JSON converter", () => {
	test("the payload is taken out of its schema", async () => {
		const body = `{"schema":{"type":"struct","name":"Envelope"},"payload": ${CREATED} }`;
		const { attributes, data } = await parseOne("debezium", { body });
		expect(attributes.type).toBe("public.customers.insert");
		expect(data).toEqual({ kind: "json", text: CREATED });
	});

	test.each([
		["a tombstone", '{"schema":null,"payload":null}'],
		["a heartbeat", '{"ts_ms":1559033904900}'],
		["a heartbeat with a schema", '{"schema":{},"payload":{"ts_ms":1559033904900}}'],
	])("%s is no news", async (_what, body) => {
		const answer = { ok: true, events: [], batch: false, reply: { status: 200, body: { ids: [] } } };
		expect(await parseAs("debezium", { body })).toEqual(answer);
	});
});

describe("many records in a request", () => {
	test("are one event each, in order, each with its own text", async () => {
		const second = change({ after: { id: 2 } });
		const parsed = await parseAs("debezium", { body: `[ ${CREATED} , ${second},{"ts_ms":1}]` });
		if (!parsed.ok) throw new Error(parsed.message);
		expect(parsed.batch).toBe(true);
		expect(parsed.events.map(({ data }) => data)).toEqual([
			{ kind: "json", text: CREATED },
			{ kind: "json", text: second },
		]);
	});

	test("of CloudEvents come under the content type of one", async () => {
		const body = JSON.stringify([CLOUD_EVENT, CLOUD_EVENT]);
		expect(await parseAs("debezium", { headers: CLOUD_EVENTS, body })).toMatchObject({
			ok: true,
			batch: true,
		});
	});

	test.each([
		["one that is no object", `[${CREATED}, 7]`, 400, "invalid_payload"],
		["one that names a member twice", `[${CREATED}, {"a":1,"a":2}]`, 400, "duplicate_member"],
		[
			"too many",
			`[${Array(MAX_BATCH_EVENTS + 1)
				.fill("{}")
				.join()}]`,
			413,
			"too_many_events",
		],
	])("are refused together: %s", async (_what, body, status, code) => {
		expect(await parseAs("debezium", { body })).toMatchObject({ ok: false, status, code });
	});
});

test("Avro is refused", async () => {
	const refusal = { ok: false, status: 415, code: "unsupported_media_type" };
	expect(await parseAs("debezium", { headers: { "content-type": "avro/bytes" }, body: "Obj" })).toMatchObject(
		refusal,
	);
});

test("a repeated record, signed again with another webhook-id, creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("debezium", SECRET);
	for (const age of [60_000, 0]) {
		expect((await post(source, queue, { body: CREATED, age })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

const setupOf = (auth: Parameters<typeof makeSource>[0]) => {
	const source = makeSource({ name: "Documents.db", ...auth });
	return setupAs("debezium", {
		source,
		url: "https://x.example/in/Documents.db",
		secret: "<SECRET>",
	});
};

const linesOf = (variant: SetupVariant | undefined) =>
	variant?.steps.flatMap(({ code }) => code.split("\n")) ?? [];

describe("set-up", () => {
	test("Debezium Server signs", () => {
		const setup = setupOf({ auth: { type: "standard_webhooks" } });
		expect(setup?.variants.map(({ name }) => name)).toEqual(["debezium-server", "debezium-server-outbox"]);
		const [variant] = setup?.variants ?? [];
		const lines = linesOf(variant);
		expect(lines).toContain("debezium.sink.type=http");
		expect(lines).toContain("debezium.sink.http.url=https://x.example/in/Documents.db");
		expect(lines).toContain("debezium.sink.http.authentication.type=standard-webhooks");
		expect(lines).toContain("debezium.sink.http.authentication.webhook.secret=<SECRET>");
		expect(lines).toContain("debezium.source.slot.name=sluice_documents_db");
		expect(variant?.remove?.code).toContain("slot_name = 'sluice_documents_db'");
	});

	/** Offsets that cannot be written are lost without a word: the next start snapshots again, and misses deletes. */
	test("has all that a first start needs", () => {
		const [variant] = setupOf({ auth: { type: "standard_webhooks" } }).variants;
		expect(linesOf(variant)).toEqual(
			expect.arrayContaining([
				"mkdir -p config data",
				"java -version   # 21 or newer",
				"debezium.source.offset.storage.file.filename=data/offsets.dat",
				"alter system set wal_level = logical;",
				"alter table public.documents replica identity full;",
				"debezium.source.decimal.handling.mode=string",
				"debezium.source.publish.via.partition.root=true",
				"debezium.sink.http.batch.enabled=true",
				expect.stringContaining("column.truncate.to."),
			]),
		);
	});

	test("an outbox's id, type and key come as headers, one record a request", () => {
		const [, variant] = setupOf({ auth: { type: "standard_webhooks" } }).variants;
		const lines = linesOf(variant);
		expect(lines).toEqual(
			expect.arrayContaining([
				"mkdir -p config data",
				"debezium.sink.http.batch.enabled=false",
				"debezium.transforms.outbox.type=io.debezium.transforms.outbox.EventRouter",
				"debezium.transforms.outbox.table.fields.additional.placement=type:header:eventType,aggregatetype:header:aggregateType,aggregateid:header:aggregateId",
				"debezium.transforms.outbox.table.expand.json.payload=true",
				"debezium.sink.http.authentication.webhook.secret=<SECRET>",
			]),
		);
	});

	test.each([
		[
			{ type: "bearer" } as const,
			{ "http.authorization.type": "static", "http.headers.authorization": "Bearer <SECRET>" },
		],
		[
			{ type: "header", name: "x-token" } as const,
			{ "http.authorization.type": "none", "http.headers.additional": "x-token:<SECRET>" },
		],
	])("a fixed header is for Kafka Connect: %j", (auth, expected) => {
		const setup = setupOf({ auth });
		expect(setup?.variants.map(({ name }) => name)).toEqual(["kafka-connect"]);
		const code = setup?.variants[0]?.steps[0]?.code ?? "";
		const config = JSON.parse(code.slice(code.indexOf("{"), code.lastIndexOf("}") + 1)) as unknown;
		expect(config).toMatchObject({ ...expected, "http.url": "https://x.example/in/Documents.db" });
	});

	/** Aiven's sink ends with "Record value must not be null"; Debezium puts a tombstone behind each delete. */
	test("tombstones stay in Kafka", () => {
		const code = setupOf({ auth: { type: "bearer" } })?.variants[0]?.steps[0]?.code;
		expect(code).toContain('"transforms.noTombstones.predicate": "isTombstone"');
		expect(code).toContain('"org.apache.kafka.connect.transforms.predicates.RecordIsTombstone"');
	});

	test("for a proof that neither can send, the set-up changes the source", () => {
		const hmac = { type: "hmac", header: "x", algorithm: "sha256", encoding: "hex", prefix: "" } as const;
		expect(setupOf({ auth: hmac })?.variants.map(({ name }) => name)).toEqual(["change-auth"]);
	});
});

describeBadInput("debezium", { isTimed: true, secret: SECRET });
