import { describe, expect, test } from "vitest";
import { sourceKinds } from "../../../src/sources/registry.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { FRESH_ID, NOW, parseAs, parseOne, RECEIVED_AT } from "../parse.ts";
import { setupAs, parseWith } from "../bind.ts";

/** As Supabase's page on database webhooks has it, in the key order of jsonb. */
const INSERTED =
	'{"type": "INSERT", "table": "documents", "record": {"id": 9007199254740993, "path": "scans/1.png"}, "schema": "public", "old_record": null}';
const DELETED = INSERTED.replace("INSERT", "DELETE").replace(
	/"record": (\{.*?\})(.*)null/,
	'"record": null$2$1',
);

test("a change, with the text of the row as it came", async () => {
	expect(await parseAs("supabase", { body: INSERTED })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: expect.stringMatching(/^[0-9a-f]{64}$/),
					source: "/pg/publisher-1/public",
					type: "public.documents.insert",
					subject: "documents/9007199254740993",
					time: RECEIVED_AT,
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: INSERTED },
			},
		],
		batch: false,
	});
});

test("a deleted row is named after what it was", async () => {
	const { attributes } = await parseOne("supabase", { body: DELETED });
	expect(attributes).toMatchObject({
		type: "public.documents.delete",
		subject: "documents/9007199254740993",
	});
});

const idOf = async (body: string, now = NOW) => {
	const parsed = await parseWith("supabase", {
		source: makeSource({ kind: "supabase" }),
		headers: new Headers(),
		body: new TextEncoder().encode(body),
		now,
		freshId: FRESH_ID,
	});
	return parsed.ok ? parsed.events[0]?.attributes.id : undefined;
};

describe("what makes two changes the same", () => {
	test("what they say, however it is laid out, and whoever wrote it", async () => {
		const other =
			'{"schema":"public","user_id":"u1","old_record":null,"table":"documents","type":"INSERT",'.concat(
				'"record":{"id": 9007199254740993, "path": "scans/1.png"}}',
			);
		expect(await idOf(other)).toBe(await idOf(INSERTED));
	});

	test.each([
		["another number", ["9007199254740993", "9007199254740992"]],
		["another operation", ["INSERT", "UPDATE"]],
		["another table", ["documents", "files"]],
		["another schema", ["public", "private"]],
		["another former row", ['"old_record": null', '"old_record": {}']],
	])("not %s", async (_what, [from = "", to = ""]) => {
		const changed = await idOf(INSERTED.replace(from, to));
		expect(changed).toMatch(/^[0-9a-f]{64}$/);
		expect(changed).not.toBe(await idOf(INSERTED));
	});

	test("the same in the next five minutes is another event", async () => {
		const window = Math.floor(NOW / 300_000) * 300_000;
		expect(await idOf(INSERTED, window + 299_999)).toBe(await idOf(INSERTED, window));
		expect(await idOf(INSERTED, window + 300_000)).not.toBe(await idOf(INSERTED, window));
	});

	test("nothing, when the source says so", async () => {
		const source = { settings: { primary_key: "id", dedupe: false } };
		expect((await parseOne("supabase", { body: INSERTED, source })).attributes.id).toBe(FRESH_ID);
	});

	test("by default the settings ask for it", () => {
		const { settings } = sourceKinds.supabase;
		expect(settings?.parse({})).toEqual({ primary_key: "id", dedupe: true });
		expect(settings?.safeParse({ dedupe: "no" }).success).toBe(false);
	});
});

test("a webhook that fires twice is accepted twice, as one event", async () => {
	const queue = captureQueue();
	const source = sourceOf("supabase");
	const responses = [
		await post(source, queue, { body: INSERTED }),
		await post(source, queue, { body: INSERTED }),
	];
	expect(responses.map(({ status }) => status)).toEqual([202, 202]);
	const [first] = await queue.events();
	expect(first?.data).toEqual({ kind: "json", text: INSERTED });
});

/** What the SQL does in a database, test/e2e/postgres shows. */
test("set-up: by Supabase's own trigger, or by one that hides the secret", () => {
	const source = makeSource({ auth: { type: "header", name: "x-key" } });
	const url = "https://x.example/in/app-db";
	const variants = setupAs("supabase", { source, url, secret: "<SECRET>" }).variants;
	expect(variants?.map(({ name }) => name)).toEqual(["database-webhooks", "pg_net"]);
	expect(variants?.[0]?.steps.at(-1)?.code).toContain(
		`'https://x.example/in/app-db',\n    'POST',\n    '{"Content-Type":"application/json","x-key":"<SECRET>"}',\n    '{}',\n    '5000');`,
	);
	const signing = makeSource({ auth: { type: "standard_webhooks" } });
	const change = setupAs("supabase", { source: signing, url, secret: "<SECRET>" }).variants;
	expect(change?.map(({ name }) => name)).toEqual(["change-auth"]);
});

describeBadInput("supabase", { isTimed: false });
