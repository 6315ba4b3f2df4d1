import { describe, expect, test } from "vitest";
import { sign } from "../../../src/sources/proof/sign.ts";
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
					id: FRESH_ID,
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

test("the subject of a deleted row comes from the old row", async () => {
	const { attributes } = await parseOne("supabase", { body: DELETED });
	expect(attributes).toMatchObject({
		type: "public.documents.delete",
		subject: "documents/9007199254740993",
	});
});

const idOf = async (body: string, now = NOW) => {
	const parsed = await parseWith("supabase", {
		source: makeSource({ kind: "supabase", settings: { dedupe: true } }),
		headers: new Headers(),
		body: new TextEncoder().encode(body),
		now,
		freshId: FRESH_ID,
	});
	return parsed.ok ? parsed.events[0]?.attributes.id : undefined;
};

describe("with dedupe, when two changes are the same", () => {
	test("the same row, in any layout and with any user name", async () => {
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

	test("nothing, unless the source says so", () => {
		const { settings } = sourceKinds.supabase;
		expect(settings.parse({})).toMatchObject({ primary_key: "id", dedupe: false });
		expect(settings.safeParse({ dedupe: "no" }).success).toBe(false);
	});
});

test("a row that changes back and forth is an event each time", async () => {
	const queue = captureQueue();
	const source = sourceOf("supabase");
	for (const body of [INSERTED, DELETED, INSERTED, DELETED]) await post(source, queue, { body });
	expect(new Set((await queue.events()).map(({ id }) => id)).size).toBe(4);
});

test("a signed message that somebody sends again is the same event, however long it waited", async () => {
	const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	const auth = { type: "standard_webhooks" } as const;
	const source = { ...sourceOf("supabase", SECRET), auth };
	const { headers } =
		sign(auth, SECRET, { url: "", headers: {}, body: INSERTED }, Date.now() - 20 * 60_000) ?? {};
	const queue = captureQueue();
	for (let time = 1; time <= 2; time++) {
		const sent = { body: INSERTED, unproven: true, ...(headers && { headers }) };
		expect((await post(source, queue, sent)).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

test("an id without a signature is ignored", async () => {
	const headers = { "webhook-id": "msg_1" };
	const source = { auth: { type: "bearer" } as const };
	expect((await parseOne("supabase", { body: INSERTED, source, headers })).attributes.id).toBe(FRESH_ID);
});

test("with dedupe, a webhook that fires twice is accepted twice, as one event", async () => {
	const queue = captureQueue();
	const source = { ...sourceOf("supabase"), settings: { dedupe: true } };
	const responses = [
		await post(source, queue, { body: INSERTED }),
		await post(source, queue, { body: INSERTED }),
	];
	expect(responses.map(({ status }) => status)).toEqual([202, 202]);
	const [first] = await queue.events();
	expect(first?.data).toEqual({ kind: "json", text: INSERTED });
	expect(new Set((await queue.events()).map(({ id }) => id)).size).toBe(1);
});

/** What the SQL does in a database, test/e2e/postgres shows. */
test("set-up: the variant that exposes the least comes first", () => {
	const source = makeSource({ auth: { type: "header", name: "x-key" } });
	const url = "https://x.example/in/app-db";
	const variants = setupAs("supabase", { source, url, secret: "<SECRET>" }).variants;
	expect(variants?.map(({ name }) => name)).toEqual(["pg_net-signed", "pg_net", "database-webhooks"]);
	expect(variants?.[2]?.steps.at(-1)?.code).toContain(
		`'https://x.example/in/app-db',\n    'POST',\n    '{"Content-Type":"application/json","x-key":"<SECRET>"}',\n    '{}',\n    '60000');`,
	);
	const signing = makeSource({ auth: { type: "standard_webhooks" } });
	const signed = setupAs("supabase", { source: signing, url, secret: "<SECRET>" }).variants;
	expect(signed.map(({ name }) => name)).toEqual(["pg_net"]);
	const unsendable = makeSource({ auth: { type: "basic", username: "u" } });
	const change = setupAs("supabase", { source: unsendable, url, secret: "<SECRET>" }).variants;
	expect(change.map(({ name }) => name)).toEqual(["change-auth"]);
});

describeBadInput("supabase", { isTimed: false });
