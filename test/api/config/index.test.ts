/** `/v1/config` from outside: exported, planned, applied. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { watch } from "../../../src/objects/clients.ts";
import { readConfiguration, writeConfiguration } from "../../../src/store/resources/configuration.ts";
import { findEndpoint } from "../../../src/store/resources/endpoints.ts";
import { findSource } from "../../../src/store/resources/sources.ts";
import { aSource } from "../../store/records.ts";
import { askWith, makeKey } from "../access/keys.ts";
import { type Answer, type Page, ORIGIN, ask, badPaths, must } from "../client.ts";

const URL = "https://models.example.com/";
const TOKEN = "token-of-the-model";

const DOCUMENT = {
	subscriptions: [
		{ name: "read", source: "docs", types: ["a.*"], endpoint: "ocr@3", result: { type: "read" } },
		{ name: "tag", endpoint: "ner@latest", status: "paused" },
	],
	endpoints: [
		{ name: "ocr", version: "3", url: URL, auth: { type: "bearer" }, headers: { "x-region": "eu" } },
		{ name: "ner", url: `${URL}ner`, max_concurrency: 2 },
	],
	sources: [{ name: "docs", event_type: "a.b" }],
};
const SECRETS = { "endpoints/ocr@3/auth.token": TOKEN };

interface Told {
	resource: string;
	name: string;
	fields?: string[];
}

function apply(document: object, query = ""): Promise<Answer> {
	return ask("POST", `/v1/config${query}`, document);
}

function told(answer: Answer, what: string): string[] {
	return (answer.body[what] as Told[]).map(({ resource, name }) => `${resource} ${name}`);
}

/** The lists of an exported document, by name. */
function sorted({ body }: Answer): Record<string, Told[]> {
	return Object.fromEntries(
		["sources", "endpoints", "subscriptions"].map((list) => [
			list,
			(body[list] as Told[]).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
		]),
	);
}

async function version(): Promise<number> {
	return (await readConfiguration(env, 5_000))?.version ?? -1;
}

async function auditIds(): Promise<string[]> {
	const { data } = await must<Page>("GET", "/v1/audit?limit=200");
	return data.map(({ id }) => id);
}

beforeEach(async () => {
	await must("POST", "/v1/config", { sources: [], endpoints: [], subscriptions: [], prune: true });
});

describe("applying", () => {
	test("creates all of it, whatever the order of references", async () => {
		const answer = await apply({ ...DOCUMENT, secrets: SECRETS });
		expect(answer.status).toBe(200);
		expect(told(answer, "created")).toEqual([
			"source docs",
			"endpoint ocr@3",
			"endpoint ner@1",
			"subscription read",
			"subscription tag",
		]);
		const secrets = answer.body["secrets"] as Record<string, string>;
		expect(Object.keys(secrets)).toEqual([
			"sources/docs/secret",
			"endpoints/ocr@3/signing_secret",
			"endpoints/ner@1/signing_secret",
		]);
		expect((await findSource(env, "docs"))?.secrets?.[0]?.value).toBe(secrets["sources/docs/secret"]);
		expect(await findEndpoint(env, "ocr@3")).toMatchObject({
			auth: { type: "bearer", token: TOKEN },
			signingSecrets: [{ value: secrets["endpoints/ocr@3/signing_secret"] }],
		});
		expect(await must("GET", "/v1/subscriptions/read")).toMatchObject({ source: "docs", status: "active" });
		expect(await must("GET", "/v1/subscriptions/tag")).toMatchObject({ status: "paused" });
		const response = await ask(
			"POST",
			"/in/docs",
			{ n: 1 },
			{
				authorization: `Bearer ${secrets["sources/docs/secret"] ?? ""}`,
			},
		);
		expect(response.status).toBe(202);
	});

	test("twice changes nothing, and writes nothing", async () => {
		await apply({ ...DOCUMENT, secrets: SECRETS });
		const before = [await version(), await auditIds()];
		const again = await apply({ ...DOCUMENT, secrets: SECRETS, prune: true });
		expect(again.body).toMatchObject({ created: [], changed: [], deleted: [], secrets: {} });
		expect(told(again, "unchanged")).toHaveLength(5);
		expect([await version(), await auditIds()]).toEqual(before);
	});

	test("changes what differs, deletes what is missing, and is in the audit log", async () => {
		await apply({ ...DOCUMENT, secrets: SECRETS });
		const known = await auditIds();
		const [ocr, , ner] = [DOCUMENT.endpoints[0], null, { name: "ner", url: `${URL}v2`, max_concurrency: 2 }];
		const answer = await apply({
			sources: DOCUMENT.sources,
			endpoints: [ocr, ner],
			subscriptions: [DOCUMENT.subscriptions[1]],
			prune: true,
		});
		expect(answer.body).toMatchObject({
			created: [],
			changed: [{ resource: "endpoint", name: "ner@1", fields: ["url"] }],
			deleted: [{ resource: "subscription", name: "read" }],
		});
		expect(await must("GET", "/v1/endpoints/ner@1")).toMatchObject({ url: `${URL}v2`, max_concurrency: 2 });
		expect((await ask("GET", "/v1/endpoints/ner@1")).headers.get("etag")).toMatch(/^"2-/);
		expect((await ask("GET", "/v1/subscriptions/read")).status).toBe(404);
		const { data } = await must<Page>("GET", "/v1/audit?limit=200");
		const entries = data.filter(({ id }) => !known.includes(id));
		expect(
			entries.map(({ action, resource, name }) => `${String(action)} ${String(resource)} ${name}`).sort(),
		).toEqual(["delete subscription read", "update endpoint ner@1"]);
		expect(JSON.stringify(entries)).not.toContain(TOKEN);
	});

	test("without prune deletes nothing", async () => {
		await apply({ ...DOCUMENT, secrets: SECRETS });
		const answer = await apply({ subscriptions: [] });
		expect(answer.body).toMatchObject({ deleted: [] });
		expect((await ask("GET", "/v1/subscriptions/read")).status).toBe(200);
	});

	test.each(["?dry_run=true", ""])("only plans with dry_run%s", async (query) => {
		const before = await version();
		const answer = await apply(
			{ ...DOCUMENT, secrets: SECRETS, ...(query === "" && { dry_run: true }) },
			query,
		);
		expect(answer.body).toMatchObject({ dry_run: true, secrets: {} });
		expect(told(answer, "created")).toHaveLength(5);
		expect(await version()).toBe(before);
		expect((await ask("GET", "/v1/sources/docs")).status).toBe(404);
	});

	test.each(["dry_run", "prune"])("takes no query that contradicts the body: %s", async (flag) => {
		const before = await version();
		for (const said of [true, false]) {
			const answer = await apply({ ...DOCUMENT, secrets: SECRETS, [flag]: said }, `?${flag}=${!said}`);
			expect(answer).toMatchObject({ status: 400, body: { code: "invalid_query" } });
			expect(badPaths(answer)).toEqual([flag]);
		}
		expect(await version()).toBe(before);
		expect((await apply({ sources: [], [flag]: true }, `?${flag}=true`)).status).toBe(200);
	});

	test("makes no secret in the place of one that is named and not given", async () => {
		const named = { secret: { secret_ref: "docs-secret" } };
		const endpoint = { name: "ner", url: URL, signing_secret: { secret_ref: "ner-secret" } };
		const document = { sources: [{ name: "docs", ...named }], endpoints: [endpoint] };
		const answer = await apply(document);
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual(["sources.0.secret", "endpoints.0.signing_secret"]);
		const secrets = {
			"docs-secret": "a-given-secret",
			"ner-secret": "whsec_c2x1aWNlIHNpZ25zIHdoYXQgaXQgc2VuZHM=",
		};
		expect(told(await apply({ ...document, secrets }), "created")).toHaveLength(2);
		// What is stored need not be given again.
		expect(told(await apply(document), "unchanged")).toHaveLength(2);
	});

	test.each([
		["of the key that GET would show", {}, "sources/orders/secret"],
		["of a key of its own", { secret: { secret_ref: "aws" } }, "aws"],
	])("a secret that cannot be generated is asked for by its key: %s", async (_what, named, key) => {
		const queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders";
		const settings = { queue_url, access_key_id: "AKIAIOSFODNN7EXAMPLE" };
		const document = { sources: [{ name: "orders", kind: "sqs", settings, ...named }] };
		expect((await apply({ ...document, dry_run: true })).body["errors"]).toEqual([
			{ path: "sources.0.secret", message: `is required: give it in secrets, as "${key}"` },
		]);
		const secrets = { [key]: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
		expect(told(await apply({ ...document, secrets, dry_run: true }), "created")).toHaveLength(1);
	});

	test("changes nothing at all for one bad entry", async () => {
		const before = await version();
		const answer = await apply({
			...DOCUMENT,
			endpoints: [...DOCUMENT.endpoints, { name: "bad", url: "x" }],
		});
		expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
		expect(badPaths(answer)).toEqual(["endpoints.0.auth.token", "endpoints.2.url"]);
		expect(await version()).toBe(before);
	});

	test.each([
		[{ sources: Array.from({ length: 1_001 }, (_, n) => ({ name: `n${n}` })) }, ["sources"]],
		[
			{
				sources: Array.from({ length: 600 }, () => ({})),
				endpoints: Array.from({ length: 401 }, () => ({})),
			},
			[""],
		],
		[{ source: [] }, ["source"]],
		[{ sources: ["docs"] }, ["sources.0"]],
	])("refuses an invalid document", async (document, paths) => {
		const answer = await apply(document);
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual(paths);
	});
});

test("a change by somebody else in between is detected, and nothing is written", async () => {
	const stored = await readConfiguration(env, 100);
	if (stored === null) throw new Error("too much");
	await must("POST", "/v1/sources", { name: "meanwhile" });
	const none = { created: [], changed: [], deleted: [] };
	const writes = {
		sources: { ...none, created: [aSource({ name: "late" })] },
		endpoints: none,
		subscriptions: none,
	};
	expect(await writeConfiguration(env, stored.version, writes, Date.now())).toBe(false);
	expect((await ask("GET", "/v1/sources/late")).status).toBe(404);
	expect(await writeConfiguration(env, await version(), writes, Date.now())).toBe(true);
	expect((await ask("GET", "/v1/sources/late")).status).toBe(200);
});

test("columns that a change does not name stay as they are, readable or not", async () => {
	await must("POST", "/v1/sources", { name: "sealed", description: "x" });
	await env.DB.prepare("UPDATE sources SET secrets = 'v1.nobody.AAAA' WHERE name = 'sealed'").run();
	const answer = await apply({ sources: [{ name: "sealed" }] });
	expect(answer.body).toMatchObject({ changed: [{ fields: ["description"] }] });
	const row = await env.DB.prepare("SELECT secrets, description FROM sources WHERE name = 'sealed'").first();
	expect(row).toEqual({ secrets: "v1.nobody.AAAA", description: null });
});

test("the export equals what was applied, contains no secret, and applies to the same and to an empty router", async () => {
	await apply({ ...DOCUMENT, secrets: SECRETS });
	const exported = await ask("GET", "/v1/config");
	expect(exported.status).toBe(200);
	expect(exported.text).not.toContain(TOKEN);
	expect(exported.text).not.toMatch(/whsec_|src_|ep_|sub_/);
	const itself = await apply(JSON.parse(exported.text) as object, "?prune=true");
	expect(itself.body).toMatchObject({ created: [], changed: [], deleted: [] });
	await apply({ sources: [], endpoints: [], subscriptions: [], prune: true });
	const anew = await apply({ ...(JSON.parse(exported.text) as object), secrets: SECRETS });
	expect(told(anew, "created")).toHaveLength(5);
	const again = await ask("GET", "/v1/config");
	expect(sorted(again)).toEqual(sorted(exported));
});

test("a viewer reads it without secrets, and changes nothing", async () => {
	await apply({ ...DOCUMENT, secrets: SECRETS });
	const viewer = await makeKey({ role: "viewer" });
	const answer = await askWith(viewer, "GET", "/v1/config");
	expect(answer.status).toBe(200);
	expect(answer.text).not.toContain(TOKEN);
	expect((await askWith(viewer, "POST", "/v1/config", DOCUMENT)).status).toBe(403);
});

test("an export with an unreadable entry is refused instead of leaving it out", async () => {
	await apply({ ...DOCUMENT, secrets: SECRETS });
	await env.DB.prepare("UPDATE endpoints SET auth = 'v1.nobody.AAAA' WHERE name = 'ocr'").run();
	const answer = await ask("GET", "/v1/config");
	expect(answer).toMatchObject({ status: 409, body: { code: "config_unreadable" } });
	expect(badPaths(answer)).toEqual(["endpoints/ocr@3"]);
	// It can be written anew.
	expect((await apply({ ...DOCUMENT, secrets: SECRETS })).body).toMatchObject({
		changed: [{ fields: ["auth"] }],
	});
	expect((await ask("GET", "/v1/config")).status).toBe(200);
});

test("many entries are a few statements, and one wait", async () => {
	const sources = Array.from({ length: 60 }, (_, n) => ({
		name: `many-${n}`,
		description: "é".repeat(1_000),
	}));
	const subscriptions = sources.map(({ name }) => ({ name, source: name, endpoint: "one" }));
	const document = { sources, endpoints: [{ name: "one", url: URL }], subscriptions };
	expect(told(await apply(document), "created")).toHaveLength(121);
	expect(told(await apply(document), "unchanged")).toHaveLength(121);
	expect(await must("GET", "/v1/sources/many-59")).toMatchObject({ ingest_url: `${ORIGIN}/in/many-59` });
	const pruned = await apply({ sources: [], endpoints: [], subscriptions: [], prune: true });
	expect(told(pruned, "deleted")).toHaveLength(121);
});

test("a source that it makes is watched for silence, as one that POST makes", async () => {
	const name = `watched-${Date.now()}`;
	const source = { name, event_type: "a.b", expect_every_seconds: 60 };
	expect((await apply({ sources: [source] })).status).toBe(200);
	const id = (await findSource(env, name))?.id ?? "";
	const alarm = await runInDurableObject(watch(env, id), (_, { storage }) => storage.getAlarm());
	expect(alarm).not.toBeNull();
});
