import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { findSource } from "../../../src/store/resources/sources.ts";
import { ORIGIN, type Page, ask, badPaths, must, readIds } from "../client.ts";

let count = 0;
const unique = () => `source-${++count}`;

describe("creating a source", () => {
	test("a name is enough", async () => {
		const name = unique();
		const { status, body } = await ask("POST", "/v1/sources", { name });
		expect(status).toBe(201);
		expect(body).toEqual({
			id: expect.stringMatching(/^src_[0-9a-z]{10}$/),
			name,
			kind: "generic",
			description: null,
			auth: { type: "bearer" },
			ingest_url: `${ORIGIN}/in/${name}`,
			event_type: null,
			subject: null,
			dedupe_key: null,
			expect_every_seconds: null,
			test: false,
			settings: {},
			secret: expect.stringMatching(/^[0-9a-f]{64}$/),
			status: "active",
			status_reason: null,
			unreadable: null,
			created_at: expect.stringMatching(/^\d{4}-.*Z$/),
			updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
		});
	});

	test("every field is kept", async () => {
		const fields = {
			name: unique(),
			kind: "generic",
			description: "scans table",
			event_type: '="document." & body.action',
			subject: "literal",
			dedupe_key: "body.id",
		};
		await must("POST", "/v1/sources", { ...fields, secret: "chosen-secret" });
		expect(await must("GET", `/v1/sources/${fields.name}`)).toMatchObject(fields);
	});

	test("a kind that names its events does not accept a name from the source", async () => {
		const fields = { name: unique(), kind: "cloudevents", event_type: "document.inserted" };
		const { status, body } = await ask("POST", "/v1/sources", fields);
		expect(status).toBe(422);
		expect(body["errors"]).toEqual([{ path: "event_type", message: expect.stringContaining("cloudevents") }]);
	});

	test.each([
		[{ type: "bearer" }, { type: "bearer" }],
		[
			{ type: "basic", username: "pg" },
			{ type: "basic", username: "pg" },
		],
		[
			{ type: "header", name: "x-token" },
			{ type: "header", name: "x-token" },
		],
		[
			{ type: "hmac", header: "x-signature" },
			{
				type: "hmac",
				header: "x-signature",
				algorithm: "sha256",
				encoding: "hex",
				prefix: "",
				secret_encoding: "utf8",
				signed_content: "{body}",
				timestamp_header: null,
				tolerance_seconds: 300,
				verification_token: false,
			},
		],
		[{ type: "standard_webhooks" }, { type: "standard_webhooks" }],
	])("auth %j", async (auth, shown) => {
		const created = await must("POST", "/v1/sources", { name: unique(), auth });
		expect(created["auth"]).toEqual(shown);
		expect(created["secret"]).toMatch(auth.type === "standard_webhooks" ? /^whsec_/ : /^[0-9a-f]{64}$/);
	});

	test("the user name of basic is the source's name unless given", async () => {
		const name = unique();
		const created = await must("POST", "/v1/sources", { name, auth: { type: "basic" } });
		expect(created["auth"]).toEqual({ type: "basic", username: name });
	});

	test("url_token puts the secret into the URL, once", async () => {
		const name = unique();
		const created = await must("POST", "/v1/sources", {
			name,
			auth: { type: "url_token" },
			secret: "to&ken+1",
		});
		expect(created["ingest_url"]).toBe(`${ORIGIN}/in/${name}?token=to%26ken%2B1`);
		expect((await must("GET", `/v1/sources/${name}`))["ingest_url"]).toBe(`${ORIGIN}/in/${name}`);
	});

	test("auth none has no secret and must be set explicitly", async () => {
		const created = await must("POST", "/v1/sources", { name: unique(), auth: { type: "none" } });
		expect(created["secret"]).toBeNull();
	});

	test.each([
		["no name", {}, "name"],
		["a name with a slash", { name: "a/b" }, "name"],
		["a name that looks like an id", { name: "src_1" }, "name"],
		["a builtin name", { name: "results" }, "name"],
		["an unknown kind", { name: "a", kind: "pigeon" }, "kind"],
		["an inherited kind", { name: "a", kind: "toString" }, "kind"],
		["an unknown auth", { name: "a", auth: { type: "trust" } }, "auth.type"],
		["auth without its parts", { name: "a", auth: { type: "hmac" } }, "auth.header"],
		["a header that is none", { name: "a", auth: { type: "header", name: "a b" } }, "auth.name"],
		["a bad expression", { name: "a", event_type: "=body.(" }, "event_type"],
		["a bad key expression", { name: "a", dedupe_key: "=body.id" }, "dedupe_key"],
		["a short secret", { name: "a", secret: "short" }, "secret"],
		["a secret no header can carry", { name: "a", secret: "with a space" }, "secret"],
		[
			"a weak signing secret",
			{ name: "a", auth: { type: "standard_webhooks" }, secret: "whsec_AAAA" },
			"secret",
		],
		["a secret for none", { name: "a", auth: { type: "none" }, secret: "long-enough" }, "secret"],
		["a status that is none", { name: "a", status: "disabled" }, "status"],
		["less than a minute between events", { name: "a", expect_every_seconds: 59 }, "expect_every_seconds"],
		["more than a week", { name: "a", expect_every_seconds: 604_801 }, "expect_every_seconds"],
	])("%s is 422 and the field is named", async (_, body, path) => {
		const answer = await ask("POST", "/v1/sources", body);
		expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
		expect(badPaths(answer)).toEqual([path]);
	});

	test("every unknown field is named, with what is known", async () => {
		const answer = await ask("POST", "/v1/sources", {
			name: "a",
			colour: 1,
			auth: { type: "bearer", tokn: 1 },
		});
		expect(badPaths(answer)).toEqual(["auth.tokn", "colour"]);
		expect(answer.text).toContain("dedupe_key");
	});

	test("a bad expression is refused with its position in the field", async () => {
		const { text } = await ask("POST", "/v1/sources", { name: "a", event_type: "=a + )" });
		expect(text).toContain("at character 6");
	});

	test("a name that is taken is 409", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name });
		expect(await ask("POST", "/v1/sources", { name })).toMatchObject({
			status: 409,
			body: { code: "name_taken", detail: `There is already a source named ${name}.` },
		});
	});
});

describe("reading sources", () => {
	test("by id and by name, without the secret", async () => {
		const created = await must("POST", "/v1/sources", { name: unique(), secret: "never-shown-again" });
		const { secret: _, ...shown } = created;
		expect(await must("GET", `/v1/sources/${created.id}`)).toEqual(shown);
		expect(await must("GET", `/v1/sources/${created.name}`)).toEqual(shown);
		expect((await ask("GET", "/v1/sources?limit=200")).text).not.toContain("never-shown-again");
	});

	test("page by page, newest first, without duplicates or gaps", async () => {
		const made: string[] = [];
		for (let i = 0; i < 5; i++) made.unshift((await must("POST", "/v1/sources", { name: unique() })).id);
		const { ids } = await readIds("/v1/sources?limit=2", 3);
		expect(ids.slice(0, 5)).toEqual(made);
	});

	test("the last page has no cursor, and another list's cursor is refused", async () => {
		await must("POST", "/v1/sources", { name: unique() });
		await must("POST", "/v1/sources", { name: unique() });
		expect(await must("GET", "/v1/sources?limit=200")).toMatchObject({ next_cursor: null });
		const { next_cursor } = await must<Page>("GET", "/v1/sources?limit=1");
		expect((await ask("GET", `/v1/endpoints?cursor=${next_cursor}`)).status).toBe(400);
	});

	test("unknown sources are 404, and built-in ones are marked", async () => {
		expect(await ask("GET", "/v1/sources/nobody")).toMatchObject({
			status: 404,
			body: { code: "source_not_found" },
		});
		for (const ref of ["api", "src_results"]) {
			const answer = await ask("GET", `/v1/sources/${ref}`);
			expect(answer).toMatchObject({
				status: 404,
				body: { detail: expect.stringContaining("built-in source") },
			});
		}
	});
});

describe("changing a source", () => {
	test("changes the named fields only, and keeps the secret", async () => {
		const name = unique();
		const created = await must("POST", "/v1/sources", {
			name,
			description: "a",
			event_type: "b",
			secret: "the-secret",
		});
		const changed = await must("PATCH", `/v1/sources/${name}`, { event_type: null, description: "b" });
		const { secret: _, ...shown } = created;
		expect(changed).toEqual({
			...shown,
			event_type: null,
			description: "b",
			updated_at: expect.any(String),
		});
		expect((await findSource(env, name))?.secrets).toMatchObject([{ value: "the-secret" }]);
	});

	test("a new name takes the place of the old one", async () => {
		const [name, renamed] = [unique(), unique()];
		const { id } = await must("POST", "/v1/sources", { name });
		await must("PATCH", `/v1/sources/${name}`, { name: renamed });
		expect((await ask("GET", `/v1/sources/${name}`)).status).toBe(404);
		expect(await must("GET", `/v1/sources/${renamed}`)).toMatchObject({
			id,
			ingest_url: `${ORIGIN}/in/${renamed}`,
		});
		const other = unique();
		await must("POST", "/v1/sources", { name: other });
		expect((await ask("PATCH", `/v1/sources/${other}`, { name: renamed })).status).toBe(409);
	});

	test("another auth keeps a secret that fits it", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name, secret: "fits-both" });
		await must("PATCH", `/v1/sources/${name}`, { auth: { type: "url_token" } });
		expect((await findSource(env, name))?.secrets).toMatchObject([{ value: "fits-both" }]);
	});

	test("another auth that the secret does not fit needs one to be named", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name, secret: "fits-both" });
		const auth = { type: "standard_webhooks" };
		expect(badPaths(await ask("PATCH", `/v1/sources/${name}`, { auth }))).toEqual(["auth.type"]);
		const secret = `whsec_${btoa("x".repeat(32))}`;
		expect(await must("PATCH", `/v1/sources/${name}`, { auth, secret })).toMatchObject({ auth });
		expect((await findSource(env, name))?.secrets).toMatchObject([{ value: secret }]);
	});

	test("auth none drops the secret, and to leave it a secret is needed", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name });
		await must("PATCH", `/v1/sources/${name}`, { auth: { type: "none" } });
		expect((await findSource(env, name))?.secrets).toEqual([]);
		expect((await ask("PATCH", `/v1/sources/${name}`, { auth: { type: "bearer" } })).status).toBe(422);
		await must("PATCH", `/v1/sources/${name}`, { auth: { type: "bearer" }, secret: "a-new-one" });
	});
});

describe("pausing and resuming a source", () => {
	test("publishers are asked to retry, and the reason for the pause is shown", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name, auth: { type: "none" } });
		const path = `/v1/sources/${name}`;
		const paused = { status: "paused", status_reason: "manual" };
		expect(await must("POST", `${path}/pause`)).toMatchObject(paused);
		expect(await must("POST", `${path}/pause`)).toMatchObject(paused);
		expect(await must("GET", path)).toMatchObject(paused);
		const refused = await ask("POST", `/in/${name}`, { a: 1 });
		expect(refused).toMatchObject({ status: 503, body: { code: "source_paused" } });
		expect(refused.headers.get("retry-after")).toBe("60");
		expect(await must("POST", `${path}/resume`)).toMatchObject({ status: "active", status_reason: null });
		expect((await ask("POST", `/in/${name}`, { a: 1 })).status).toBe(202);
	});

	test("it can be made paused", async () => {
		const name = unique();
		const made = await must("POST", "/v1/sources", { name, status: "paused" });
		expect(made).toMatchObject({ status: "paused", status_reason: "manual" });
	});

	test("PATCH does not, and says what does", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name });
		const answer = await ask("PATCH", `/v1/sources/${name}`, { status: "paused" });
		expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "status" }] } });
		expect(answer.text).toContain("POST …/pause");
	});
});

describe("a secret with white space around it", () => {
	test.each([
		{ type: "basic" },
		{ type: "hmac", header: "x-signature" },
		{ type: "github" },
		{ type: "bearer" },
		{ type: "url_token" },
	])("is refused: %j", async (auth) => {
		const name = unique();
		for (const secret of ["long-enough\n", " long-enough"]) {
			const answer = await ask("POST", "/v1/sources", { name, auth, secret });
			expect(answer).toMatchObject({ status: 422, body: { errors: [{ path: "secret" }] } });
			expect(answer.text).toContain("white space");
		}
		await must("POST", "/v1/sources", { name, auth, secret: "long-enough" });
		const rotated = await ask("POST", `/v1/sources/${name}/secret/rotate`, { secret: "long-enough " });
		expect(badPaths(rotated)).toEqual(["secret"]);
		expect(badPaths(await ask("PATCH", `/v1/sources/${name}`, { secret: "long-enough " }))).toEqual([
			"secret",
		]);
	});
});

describe("rotating the secret of a source", () => {
	test("the old one lives on for the grace period, the new one is shown once", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name, secret: "old-secret" });
		const rotated = await must("POST", `/v1/sources/${name}/secret/rotate`, { secret: "new-secret" });
		expect(rotated["secret"]).toBe("new-secret");
		const [current, former] = (await findSource(env, name))?.secrets ?? [];
		expect(current).toMatchObject({ value: "new-secret", expiresAt: null });
		expect(former).toMatchObject({ value: "old-secret" });
		expect((former?.expiresAt ?? 0) - (current?.createdAt ?? 0)).toBe(86_400_000);
	});

	test("without a body a secret is made, and a grace of 0 ends the old one at once", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name, secret: "old-secret" });
		const first = await must("POST", `/v1/sources/${name}/secret/rotate`);
		expect(first["secret"]).toMatch(/^[0-9a-f]{64}$/);
		const last = await must("POST", `/v1/sources/${name}/secret/rotate`, { grace_period_seconds: 0 });
		expect((await findSource(env, name))?.secrets).toMatchObject([{ value: last["secret"] }]);
	});

	test.each([
		[{ grace_period_seconds: 604_801 }, "grace_period_seconds"],
		[{ grace_period_seconds: -1 }, "grace_period_seconds"],
		[{ secret: "short" }, "secret"],
		[{ signing_secret: "x" }, "signing_secret"],
	])("%j is refused", async (body, path) => {
		const name = unique();
		await must("POST", "/v1/sources", { name });
		const answer = await ask("POST", `/v1/sources/${name}/secret/rotate`, body);
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual([path]);
	});

	test("a source without one is 409", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name, auth: { type: "none" } });
		expect(await ask("POST", `/v1/sources/${name}/secret/rotate`)).toMatchObject({
			status: 409,
			body: { code: "no_secret" },
		});
	});
});

describe("deleting a source", () => {
	test("it is gone", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name });
		expect(await ask("DELETE", `/v1/sources/${name}`)).toMatchObject({ status: 204, text: "" });
		expect((await ask("DELETE", `/v1/sources/${name}`)).status).toBe(404);
	});

	test("one that was lost from the database can still be deleted, once, by its id", async () => {
		const { id } = await must("POST", "/v1/sources", { name: unique() });
		await env.DB.prepare("DELETE FROM sources WHERE id = ?").bind(id).run();
		expect((await ask("DELETE", `/v1/sources/${id}`)).status).toBe(204);
		expect((await ask("DELETE", `/v1/sources/${id}`)).status).toBe(404);
		expect((await ask("DELETE", "/v1/sources/src_api")).status).toBe(404);
	});

	test("not while a subscription names it", async () => {
		const name = unique();
		await must("POST", "/v1/sources", { name });
		await must("POST", "/v1/endpoints", { name: `for-${name}`, url: "https://models.example.com/" });
		await must("POST", "/v1/subscriptions", { name: `of-${name}`, source: name, endpoint: `for-${name}` });
		expect(await ask("DELETE", `/v1/sources/${name}`)).toMatchObject({
			status: 409,
			body: { code: "source_in_use", detail: expect.stringContaining(`of-${name}`) },
		});
	});
});

describe("sources that fetch their events", () => {
	test("a queue belongs to one source", async () => {
		const queue = unique().toLowerCase();
		const settings = { queue };
		const first = await must("POST", "/v1/sources", { name: unique(), kind: "r2", settings });
		const second = { name: unique(), kind: "r2", settings };
		expect(await ask("POST", "/v1/sources", second)).toMatchObject({
			status: 409,
			body: { code: "queue_taken", detail: expect.stringContaining(first["name"]) },
		});
		expect((await ask("PATCH", `/v1/sources/${first["name"]}`, { settings })).status).toBe(200);
	});
});
