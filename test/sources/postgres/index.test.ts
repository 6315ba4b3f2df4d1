import { describe, expect, test } from "vitest";
import { sourceKinds } from "../../../src/sources/registry.ts";
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
		setup?.variants.map(({ name, title, steps }) => ({
			name,
			title,
			code: steps.map((step) => step.code).join("\n"),
		})) ?? []
	);
}

function titleOf(auth: SourceAuth, name: string): string | undefined {
	return setupFor(auth).find((variant) => variant.name === name)?.title;
}

/** What the SQL does in a database, test/e2e/postgres shows. */
describe("set-up", () => {
	test("offers the transport that does not block writers first", () => {
		const names = setupFor({ type: "standard_webhooks" }).map(({ name }) => name);
		expect(names).toEqual(["pg_net", "pgsql-http", "plpython3u"]);
	});

	test.each([
		["bearer", { type: "bearer" }, "https://x.example/in/app-db"],
		["header", { type: "header", name: "x-key" }, "https://x.example/in/app-db"],
		["url_token", { type: "url_token" }, "https://x.example/in/app-db?token=<SECRET>"],
	] satisfies [string, SourceAuth, string][])(
		"before one that sends the secret by %s it offers to sign",
		(_what, auth, url) => {
			const [signed, ...others] = setupFor(auth, url);
			expect(others.map(({ name }) => name)).toEqual(["pg_net", "pgsql-http", "plpython3u"]);
			expect(signed?.name).toBe("pg_net-signed");
			expect(signed?.code).toContain(`{"auth": {"type": "standard_webhooks"}, "secret": "'"$SECRET"'"}`);
			expect(signed?.code).toContain("values ('https://x.example/in/app-db', '<SECRET>')");
			expect(signed?.code).toContain("'webhook-signature'");
			expect(signed?.code).not.toContain("token");
		},
	);

	test("gives pg_net a minute for a response: its time runs while requests wait for each other", () => {
		const { code } = setupFor({ type: "standard_webhooks" })[0] ?? {};
		expect(code).toContain("timeout_milliseconds := 60000);");
	});

	test("says what everybody in the database may read of it", () => {
		const read = "Every role that can log in may read";
		expect(titleOf({ type: "standard_webhooks" }, "pg_net")).toContain(`${read} the rows while they wait`);
		expect(titleOf({ type: "bearer" }, "pg_net")).toContain(
			`${read} the rows and the secret while they wait`,
		);
		expect(titleOf({ type: "bearer" }, "pg_net-signed")).toContain(`${read} the rows while they wait`);
		expect(titleOf({ type: "bearer" }, "plpython3u")).not.toContain(read);
	});

	test("the secret is in one place, outside of the function", () => {
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
			for (const { name, code } of setupFor(auth)) {
				if (name === "pg_net-signed") continue;
				expect(code).toContain(header);
				expect(code).toContain(`values ('https://x.example/in/app-db', ${secret})`);
				expect(code).not.toContain("pgcrypto");
			}
		},
	);

	test("a quote in the URL stays in its string", () => {
		const [, variant] = setupFor({ type: "url_token" }, "https://x.example/in/a?token='; drop");
		expect(variant?.code).toContain("'https://x.example/in/a?token=''; drop'");
	});

	test("for a proof that the SQL cannot send, the set-up changes the source first", () => {
		const [variant, ...others] = setupFor({ type: "basic", username: "u" });
		expect(others).toEqual([]);
		expect(variant?.code).toContain("curl -X PATCH 'https://x.example/v1/sources/app-db'");
	});
});

/** pg_net sends what was signed when the row was written, once, and nobody can sign it again. */
describe("a message that waited in the queue of the database", () => {
	const MINUTE_MS = 60_000;

	test.each([
		["20 minutes", 20 * MINUTE_MS, {}, 202],
		["almost a day", 24 * 60 * MINUTE_MS - 5_000, {}, 202],
		["more than a day", 24 * 60 * MINUTE_MS + 5_000, {}, 401],
		["20 minutes, of at most 15", 20 * MINUTE_MS, { signature_max_age_seconds: 900 }, 401],
		["six days, of at most a week", 6 * 24 * 60 * MINUTE_MS, { signature_max_age_seconds: 604_800 }, 202],
	])("for %s", async (_howLong, age, changes, status) => {
		const queue = captureQueue();
		const source = sourceOf("postgres", SECRET);
		const settings = { ...source.settings, ...changes };
		expect((await post({ ...source, settings }, queue, { body: UPDATED, age })).status).toBe(status);
		expect(queue.messages).toHaveLength(status === 202 ? 1 : 0);
	});

	test("is as welcome at a source that an earlier release has stored", async () => {
		const source = { ...sourceOf("postgres", SECRET), settings: { primary_key: "id" } };
		const age = 20 * MINUTE_MS;
		expect((await post(source, captureQueue(), { body: UPDATED, age })).status).toBe(202);
	});

	test("no other kind accepts it", async () => {
		const source = { ...sourceOf("debezium", SECRET) };
		expect((await post(source, captureQueue(), { age: 20 * MINUTE_MS })).status).toBe(401);
	});

	test.each([299, 604_801, 300.5, "900", null])("at most %j s is no setting", (seconds) => {
		const { settings } = sourceKinds.postgres;
		expect(settings.safeParse({ signature_max_age_seconds: seconds }).success).toBe(false);
	});
});

describeBadInput("postgres", { isTimed: true, secret: SECRET, maxAgeSeconds: 86_400 });
