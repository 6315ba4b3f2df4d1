import { describe, expect, test } from "vitest";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { parseAs, parseOne, RECEIVED_AT } from "../parse.ts";
import { setupAs } from "../bind.ts";

/** In the layout of Hasura's page on the payload of event triggers. */
const UPDATED = `{
  "event": {
    "session_variables": { "x-hasura-role": "admin", "x-hasura-user-id": "1" },
    "op": "UPDATE",
    "data": {
      "old": { "id": 9007199254740993, "name": "bla", "price": 1.50 },
      "new": { "id": 9007199254740993, "name": "boo", "price": 1.50 }
    },
    "trace_context": { "trace_id": "7f2c0d3a", "span_id": "501f95bf6cd1bca9" }
  },
  "created_at": "2018-09-05T07:14:21.601701Z",
  "id": "85558393-c75d-4d2f-9c15-e80591b83894",
  "delivery_info": { "max_retries": 0, "current_retry": 0 },
  "trigger": { "name": "test trigger" },
  "table": { "schema": "public", "name": "users" }
}`;

test("a change, with its text as it came", async () => {
	expect(await parseAs("hasura", { body: UPDATED })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "85558393-c75d-4d2f-9c15-e80591b83894",
					source: "/hasura/publisher-1/test%20trigger",
					type: "public.users.update",
					subject: "users/9007199254740993",
					time: "2018-09-05T07:14:21.601701Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: UPDATED },
			},
		],
		batch: false,
	});
});

test.each([
	["INSERT", '"old": null, "new": {"id": 1}', "public.users.insert", "users/1"],
	["DELETE", '"old": {"id": 2}, "new": null', "public.users.delete", "users/2"],
	["MANUAL", '"old": null, "new": {"id": 3}', "public.users.manual", "users/3"],
])("%s", async (operation, data, type, subject) => {
	const body = UPDATED.replace("UPDATE", operation).replace(
		/"data": \{[^}]*\}[^}]*\}\s*\}/,
		`"data": {${data}}`,
	);
	expect((await parseOne("hasura", { body })).attributes).toMatchObject({ type, subject });
});

test.each([
	["without a zone is UTC", '"2018-09-05T07:14:21.601701"', "2018-09-05T07:14:21.601701Z"],
	["that is none", '"yesterday"', RECEIVED_AT],
	["that is missing", "null", RECEIVED_AT],
])("a time %s", async (_what, createdAt, time) => {
	const body = UPDATED.replace('"2018-09-05T07:14:21.601701Z"', createdAt);
	expect((await parseOne("hasura", { body })).attributes.time).toBe(time);
});

test("a retry creates nothing new, though it counts itself in the body", async () => {
	const queue = captureQueue();
	const source = sourceOf("hasura");
	for (const retry of [0, 1]) {
		const body = UPDATED.replace('"current_retry": 0', `"current_retry": ${retry}`);
		expect((await post(source, queue, { body })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

test.each([
	["no operation", UPDATED.replace('"op"', '"other"'), "event.op"],
	["an unknown operation", UPDATED.replace("UPDATE", "UPSERT"), "event.op"],
	["no table", UPDATED.replace('"table"', '"other"'), "table.schema"],
	["an event that is a list", '{"event":[],"table":{"schema":"public","name":"t"}}', "event.op"],
])("refused: %s", async (_what, body, path) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path };
	expect(await parseAs("hasura", { body })).toMatchObject(refusal);
});

describe("set-up", () => {
	const target = { url: "https://x.example/in/app", secret: "<SECRET>" };
	const setup = setupAs("hasura", { ...target, source: makeSource({ auth: { type: "bearer" } }) });

	test("the command to the metadata API is JSON, whichever way the trigger is made", () => {
		const [variant] = setup?.variants ?? [];
		const [, document = ""] = /-d '(.*)'\n\}/s.exec(variant?.steps[0]?.code ?? "") ?? [];
		for (const replace of [true, false]) {
			expect(JSON.parse(document.replace(`'"$1"'`, String(replace)))).toMatchObject({
				type: "pg_create_event_trigger",
				args: {
					webhook: "https://x.example/in/app",
					headers: [{ name: "Authorization", value: "Bearer <SECRET>" }],
					replace,
				},
			});
		}
		expect(variant?.remove?.code).toContain("pg_delete_event_trigger");
	});

	test("the file has the URL and the header", () => {
		const yaml = setup?.variants[1]?.steps[0]?.code;
		expect(yaml).toContain("    webhook: https://x.example/in/app\n");
		expect(yaml).toContain('      - name: Authorization\n        value: "Bearer <SECRET>"');
	});
});

describeBadInput("hasura", { isTimed: false });
