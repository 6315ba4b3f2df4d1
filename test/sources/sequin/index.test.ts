import { describe, expect, test } from "vitest";
import { MAX_BATCH_EVENTS } from "../../../src/events/event.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { parseAs, parseOne, RECEIVED_AT } from "../parse.ts";
import { setupAs } from "../bind.ts";

/** The update of Sequin's page on messages, with a key beyond 2^53. */
const UPDATED = `{
  "record": { "id": 9007199254740993, "product": "Wireless Headphones", "price": 199.90, "status": "shipped" },
  "changes": { "status": "pending" },
  "action": "update",
  "metadata": {
    "table_schema": "public",
    "table_name": "orders",
    "idempotency_key": "c2VxdWluc3RyZWFtLmNvbS9jYXJlZXJz",
    "commit_timestamp": "2024-10-28T21:39:21.127470Z",
    "commit_lsn": 123456790,
    "commit_idx": 1,
    "consumer": { "id": "f47ac10b-58cc-4372-a567-0e02b2c3d479", "name": "orders_webhook" }
  }
}`;
const INSERTED = UPDATED.replace('"update"', '"insert"').replace("c2VxdWlu", "other");

test("a change, with its text as it came", async () => {
	expect(await parseAs("sequin", { body: UPDATED })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "c2VxdWluc3RyZWFtLmNvbS9jYXJlZXJz",
					source: "/sequin/publisher-1",
					type: "public.orders.update",
					subject: "orders/9007199254740993",
					time: "2024-10-28T21:39:21.127470Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: UPDATED },
			},
		],
		batch: false,
	});
});

test.each(["insert", "update", "delete", "read"])("%s", async (action) => {
	const { attributes } = await parseOne("sequin", { body: UPDATED.replace('"update"', `"${action}"`) });
	expect(attributes.type).toBe(`public.orders.${action}`);
});

test("without key and time, content and receipt are used instead", async () => {
	const body = UPDATED.replace("idempotency_key", "x").replace("commit_timestamp", "y");
	const { attributes } = await parseOne("sequin", { body });
	expect(attributes.id).toMatch(/^[0-9a-f]{64}$/);
	expect(attributes.time).toBe(RECEIVED_AT);
});

describe("a batch", () => {
	test("is cut into its messages, each as it came", async () => {
		const parsed = await parseAs("sequin", { body: `{ "data" : [ ${UPDATED} , ${INSERTED} ] }` });
		if (!parsed.ok) throw new Error(parsed.message);
		expect(parsed.batch).toBe(true);
		expect(parsed.events.map(({ data }) => data)).toEqual([
			{ kind: "json", text: UPDATED },
			{ kind: "json", text: INSERTED },
		]);
		expect(parsed.events.map(({ attributes }) => attributes.type)).toEqual([
			"public.orders.update",
			"public.orders.insert",
		]);
	});

	test("the response has all ids, and a repetition creates nothing new", async () => {
		const queue = captureQueue();
		const source = sourceOf("sequin");
		const body = `{"data":[${UPDATED},${INSERTED}]}`;
		const answers = [await post(source, queue, { body }), await post(source, queue, { body })];
		const ids = await Promise.all(answers.map((answer) => answer.json()));
		expect(ids[1]).toEqual(ids[0]);
		const events = await queue.events();
		expect(ids[0]).toEqual({ ids: events.slice(0, 2).map(({ id }) => id) });
	});

	test("without messages is nothing", async () => {
		expect(await parseAs("sequin", { body: '{"data":[]}' })).toEqual({ ok: true, events: [], batch: true });
	});

	test.each([
		["no object", "1", "invalid_payload", "data[1]"],
		["a message without action", UPDATED.replace('"action"', '"other"'), "invalid_payload", "data[1].action"],
		[
			"a message without table",
			UPDATED.replace("table_name", "x"),
			"invalid_payload",
			"data[1].metadata.table_name",
		],
		["a member twice", UPDATED.replace("{", '{"action":"delete",'), "duplicate_member", undefined],
	])("is refused whole for %s", async (_what, bad, code, path) => {
		const queue = captureQueue();
		const source = sourceOf("sequin");
		const response = await post(source, queue, { body: `{"data":[${UPDATED},${bad}]}` });
		expect(response.status).toBe(400);
		const problem = await response.json<{ code: string; errors?: { path: string }[] }>();
		expect([problem.code, problem.errors?.[0]?.path]).toEqual([code, path]);
		expect(queue.messages).toEqual([]);
	});

	test("holds no more events than a request may", async () => {
		const body = `{"data":[${Array.from({ length: MAX_BATCH_EVENTS + 1 }, () => "{}").join(",")}]}`;
		expect(await parseAs("sequin", { body })).toMatchObject({ status: 413, code: "too_many_events" });
	});
});

test.each([
	["what a transform left of a message", '{"id":1,"status":"shipped"}', "action"],
	["an unknown action", UPDATED.replace('"update"', '"truncate"'), "action"],
])("refused: %s", async (_what, body, path) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path };
	expect(await parseAs("sequin", { body })).toMatchObject(refusal);
});

test("set-up: the header is kept secret there, and compression stays off", () => {
	const source = makeSource({ auth: { type: "bearer" } });
	const setup = setupAs("sequin", { source, url: "https://x.example/in/app", secret: "<SECRET>" });
	const yaml = setup?.variants[0]?.steps[0]?.code;
	expect(yaml).toContain('    url: "https://x.example/in/app"\n    encrypted_headers:\n');
	expect(yaml).toContain('      - key: "Authorization"\n        value: "Bearer <SECRET>"');
	for (const variant of setup?.variants ?? []) expect(JSON.stringify(variant)).toContain("content-encoding");
});

describeBadInput("sequin", { isTimed: false });
