/** What Debezium's transformations leave of a change: outbox events and flattened rows keep their identity. */
import { describe, expect, test } from "vitest";
import { FRESH_ID, RECEIVED_AT, parseAs, parseOne } from "../parse.ts";
import { FLAT_DELETE, FLAT_INSERT, OUTBOX } from "./captured.ts";

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
const header = (payload: unknown) => encode({ schema: { type: "string", optional: false }, payload });

const outboxOf = (headers: Record<string, string> = {}, body = OUTBOX.body) =>
	parseOne("debezium", { headers: { ...OUTBOX.headers, ...headers }, body });

describe("an event of an outbox", () => {
	test("has the outbox's id and type, and the payload as its data", async () => {
		expect(await outboxOf()).toEqual({
			attributes: {
				id: "6a3bfa37-1150-45a0-b123-ac3d6230c2e1",
				source: "/debezium/postgresql/sluice_cdc_outbox",
				type: "OrderPlaced",
				time: RECEIVED_AT,
				datacontenttype: "application/json",
			},
			data: { kind: "json", text: '{"total":12.5}' },
		});
	});

	test.each([
		[
			"the set-up's placement",
			{ "x-debezium-aggregateid": header("7"), "x-debezium-aggregatetype": header("order") },
			"order/7",
		],
		["the columns' own names", { "x-debezium-aggregate_id": header("7") }, "7"],
		[
			"a key that is a number",
			{ "x-debezium-aggregateid": "eyJzY2hlbWEiOnt9LCJwYXlsb2FkIjo5MDA3MTk5MjU0NzQwOTkzfQ==" },
			"9007199254740993",
		],
		["no key", { "x-debezium-aggregatetype": header("order") }, "order"],
		["a key that no attribute can hold", { "x-debezium-aggregateid": header("a\u0000b") }, undefined],
	])("its key is the subject: %s", async (_what, headers, subject) => {
		expect((await outboxOf(headers)).attributes.subject).toBe(subject);
	});

	test.each([
		["without schemas", encode("OrderPaid")],
		["not in base64", '{"schema":null,"payload":"OrderPaid"}'],
		["neither", '"OrderPaid"'],
		["as the bare word", "Order-Paid"],
	])("headers are read %s", async (_what, value) => {
		const { attributes } = await outboxOf({ "x-debezium-eventtype": value });
		expect(attributes.type.replace("-", "")).toBe("OrderPaid");
	});

	test.each([
		["within its schema", '{"schema":{"type":"struct"},"payload":{"total": 12.50}}', '{"total": 12.50}'],
		["a text within its schema", '{"schema":{"type":"string"},"payload":"12.50"}', '"12.50"'],
		[
			"JSON in a string within its schema",
			'{"schema":{"type":"string"},"payload":"{\\"total\\": 12.50}"}',
			'{"total": 12.50}',
		],
		["a number within its schema", '{"schema":{"type":"float"},"payload":12.50}', "12.50"],
		["nothing", "null", "null"],
		["nothing within its schema", '{"schema":{"type":"string","optional":true},"payload":null}', "null"],
		["as JSON in a string", '"{\\"total\\": 12.50}"', '{"total": 12.50}'],
		["a text", '"12.50"', '"12.50"'],
		["a number", "12.50", "12.50"],
		["a list of texts", '["a", "b"]', '["a", "b"]'],
		["an empty list", "[]", "[]"],
	])("its payload is any JSON: %s", async (_what, body, text) => {
		const { attributes, data } = await outboxOf({}, body);
		expect(attributes.type).toBe("OrderPlaced");
		expect(data).toEqual({ kind: "json", text });
	});

	test("without a type is a record", async () => {
		expect((await outboxOf({ "x-debezium-eventtype": header(null) })).attributes.type).toBe(
			"debezium.record",
		);
	});

	test("is ignored if the record is a change, whatever its headers contain", async () => {
		const body = '{"before":null,"after":{"id":1},"source":{"db":"app","table":"t"},"op":"c"}';
		expect((await outboxOf({}, body)).attributes.type).toBe("app.t.insert");
	});

	test("is ignored without the outbox's id", async () => {
		const refusal = { ok: false, status: 400, code: "invalid_payload" };
		expect(await parseAs("debezium", { body: "12.50" })).toMatchObject(refusal);
	});

	/** Its records share the headers of one request. */
	test("is ignored in a list", async () => {
		const body = `[${OUTBOX.body},${OUTBOX.body}]`;
		const parsed = await parseAs("debezium", { headers: OUTBOX.headers, body });
		if (!parsed.ok) throw new Error(parsed.message);
		expect(new Set(parsed.events.map(({ attributes }) => attributes.id)).size).toBe(2);
	});
});

const flatOf = (body: string, headers: Record<string, string> = {}) =>
	parseOne("debezium", { body, headers });

const idOf = async (text: string, webhookId: string) =>
	(await flatOf(text, { "webhook-id": webhookId })).attributes.id;

describe("a flattened row", () => {
	test("is called as its change would be", async () => {
		expect(await parseOne("debezium", FLAT_INSERT)).toEqual({
			attributes: {
				id: expect.stringMatching(/^[0-9a-f]{64}$/),
				source: "/debezium/postgresql/sluice_cdc_flat",
				// Its schema was not asked for, its database was, as a header.
				type: "postgres.flat.insert",
				subject: "flat/9",
				time: new Date(1_795_619_833_866).toISOString(),
				datacontenttype: "application/json",
			},
			data: { kind: "json", text: FLAT_INSERT.body },
		});
		expect((await parseOne("debezium", FLAT_DELETE)).attributes).toMatchObject({
			type: "postgres.flat.delete",
			subject: "flat/9",
		});
	});

	test.each([
		[
			"with its schema",
			'{"id":1,"__op":"u","__table":"t","__schema":"public","__db":"app"}',
			"public.t.update",
			"t/1",
		],
		["with its database", '{"id":1,"__op":"r","__table":"t","__db":"app"}', "app.t.read", "t/1"],
		[
			"by the names within source",
			'{"id":1,"__op":"c","__source_table":"t","__source_schema":"s"}',
			"s.t.insert",
			"t/1",
		],
		["deleted, with no operation", '{"id":1,"__deleted":"true","__table":"t"}', "t.delete", "t/1"],
		["deleted, as a boolean", '{"id":1,"__deleted":true,"__table":"t"}', "t.delete", "t/1"],
		[
			"not deleted, with no operation",
			'{"id":1,"__deleted":"false","__table":"t"}',
			"debezium.record",
			"t/1",
		],
		["without its table", '{"id":1,"__op":"c"}', "debezium.record", undefined],
		["without a key", '{"x":1,"__op":"c","__table":"t"}', "t.insert", "t"],
	])("%s", async (_what, body, type, subject) => {
		const { attributes } = await flatOf(body);
		expect(attributes.type).toBe(type);
		expect(attributes.subject).toBe(subject);
	});

	test("whose table and operation come as headers", async () => {
		const headers = { "x-debezium-__op": header("c"), "x-debezium-__table": header("t") };
		expect((await flatOf('{"id":1}', headers)).attributes).toMatchObject({
			type: "t.insert",
			subject: "t/1",
		});
	});

	describe("has an id", () => {
		const body =
			'{"id":1,"v":"z","__op":"c","__table":"t","__lsn":9007199254740993,"__source_ts_ms":5,"__ts_ms":6}';
		test("that is the same when it is read again, in another request and at another time", async () => {
			expect(await idOf(body.replace('"__ts_ms":6', '"__ts_ms":7'), "msg_2")).toBe(await idOf(body, "msg_1"));
		});

		test.each([
			["another place in the log", "9007199254740993", "9007199254740992"],
			["another operation", '"c"', '"r"'],
			["another table", '"t"', '"u"'],
			["another row", '"z"', '"y"'],
		])("that differs for %s", async (_what, from, to) => {
			expect(await idOf(body.replace(from, to), "msg_1")).not.toBe(await idOf(body, "msg_1"));
		});

		test("is that of its request if the position in the log is missing", async () => {
			const untold = body.replace('"__lsn":9007199254740993,', "");
			expect(await idOf(untold, "msg_1")).toBe(await idOf(untold, "msg_1"));
			expect(await idOf(untold, "msg_2")).not.toBe(await idOf(untold, "msg_1"));
			expect((await flatOf(untold)).attributes.id).not.toContain(FRESH_ID);
		});
	});
});
