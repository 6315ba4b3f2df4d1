import { describe, expect, test } from "vitest";
import type { SourceAuth } from "../../../src/store/records.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { parseAs, parseOne, RECEIVED_AT } from "../parse.ts";
import { setupAs } from "../bind.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/** As a PostgreSQL 15 wrote it. */
const UPDATED =
	'{"at": "2026-01-02T03:04:04.678901+00:00", "id": "5f0c2f0e-58a5-4b8e-9d3f-6f2a2f0b7c11", "txid": "753", ' +
	'"type": "UPDATE", "table": "documents", "record": {"id": 9007199254740993, "score": 12345678901234567890.10}, ' +
	'"schema": "public", "old_record": {"id": 9007199254740993, "score": 1.50}}';

test("a change, with the text of the row as it came", async () => {
	expect(await parseAs("postgres", { body: UPDATED })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "5f0c2f0e-58a5-4b8e-9d3f-6f2a2f0b7c11",
					source: "/pg/publisher-1/public",
					type: "public.documents.update",
					subject: "documents/9007199254740993",
					time: "2026-01-02T03:04:04.678901+00:00",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: UPDATED },
			},
		],
		batch: false,
	});
});

test("a schema of any name makes a path", async () => {
	const body = UPDATED.replace('"public"', '"my schema/ü"');
	const { attributes } = await parseOne("postgres", { body });
	expect(attributes.source).toBe("/pg/publisher-1/my%20schema%2F%C3%BC");
});

test.each(["infinity", "2026-02-30T00:00:00Z"])("the time %s is replaced by that of receipt", async (at) => {
	const body = UPDATED.replace("2026-01-02T03:04:04.678901+00:00", at);
	expect((await parseOne("postgres", { body })).attributes.time).toBe(RECEIVED_AT);
});

test.each([
	["no id", UPDATED.replace('"id": "5f', '"other": "5f'), "id"],
	["an id that is a list", UPDATED.replace(/"id": "[^"]+"/, '"id": [1]'), "id"],
	["no table", UPDATED.replace('"table"', '"other"'), "table"],
])("refused: %s", async (_what, body, path) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path };
	expect(await parseAs("postgres", { body })).toMatchObject(refusal);
});

test("a message that is posted again creates nothing new, whatever signs it", async () => {
	const queue = captureQueue();
	const source = sourceOf("postgres", SECRET);
	for (const age of [60_000, 0]) {
		expect((await post(source, queue, { body: UPDATED, age })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
	expect(first?.data).toEqual({ kind: "json", text: UPDATED });
});

function setupFor(auth: SourceAuth, url = "https://x.example/in/app-db") {
	const source = makeSource({ name: "app-db", auth });
	const setup = setupAs("postgres", { source, url, secret: "<SECRET>" });
	return (
		setup?.variants.map(({ name, steps }) => ({ name, code: steps.map((step) => step.code).join("\n") })) ??
		[]
	);
}

/** What the SQL does in a database, test/e2e/postgres shows. */
describe("set-up", () => {
	test("offers the transport that blocks nobody first", () => {
		const names = setupFor({ type: "standard_webhooks" }).map(({ name }) => name);
		expect(names).toEqual(["pg_net", "pgsql-http", "plpython3u"]);
	});

	test("the secret stands in one place, outside of the function", () => {
		for (const { code } of setupFor({ type: "standard_webhooks" })) {
			expect(code.split("<SECRET>")).toHaveLength(2);
			expect(code).toContain(
				"insert into sluice.target (url, secret) values ('https://x.example/in/app-db', '<SECRET>')",
			);
		}
	});

	test.each([
		["bearer", { type: "bearer" }, "jsonb_build_object('Authorization', target.secret)", "'Bearer <SECRET>'"],
		[
			"a header",
			{ type: "header", name: "x-key" },
			"jsonb_build_object('x-key', target.secret)",
			"'<SECRET>'",
		],
		["nothing", { type: "none" }, "headers := '{}'", "''"],
	] satisfies [string, SourceAuth, string, string][])(
		"without a signature: %s",
		(_what, auth, header, secret) => {
			for (const { code } of setupFor(auth)) {
				expect(code).toContain(header);
				expect(code).toContain(`values ('https://x.example/in/app-db', ${secret})`);
				expect(code).not.toContain("pgcrypto");
			}
		},
	);

	test("a quote in the URL stays in its string", () => {
		const [variant] = setupFor({ type: "url_token" }, "https://x.example/in/a?token='; drop");
		expect(variant?.code).toContain("'https://x.example/in/a?token=''; drop'");
	});

	test("what the SQL cannot prove is changed first", () => {
		const [variant, ...others] = setupFor({ type: "basic", username: "u" });
		expect(others).toEqual([]);
		expect(variant?.code).toContain("curl -X PATCH 'https://x.example/v1/sources/app-db'");
	});
});

describeBadInput("postgres", { isTimed: true, secret: SECRET });
