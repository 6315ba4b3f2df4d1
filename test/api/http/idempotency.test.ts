import { env } from "cloudflare:workers";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { api } from "../../../src/api/app.ts";
import { isKey, onceByKey } from "../../../src/api/http/idempotency.ts";
import { OPERATIONS } from "../../../src/api/openapi/operations.ts";
import { signOwn } from "../../../src/crypto/own-signature.ts";
import { claimKey, keepResponse, releaseKey, sweepKeys } from "../../../src/store/access/idempotency.ts";
import { askWith, makeKey } from "../access/keys.ts";
import { type Page, ask, must } from "../client.ts";

const URL = "https://models.example.com/";
const post = (path: string, body: unknown, key: string) =>
	ask("POST", path, body, { "idempotency-key": key });

const by = (key: string) => ({ principalId: "key_a", key });

test.each([
	["a", true],
	["!~", true],
	["x".repeat(255), true],
	["x".repeat(256), false],
	["", false],
	["a b", false],
	["é", false],
])("%j is a key: %s", (key, is) => {
	expect(isKey(key)).toBe(is);
});

describe("the same request again", () => {
	test.each([
		["/v1/sources", { name: "once" }, "secret"],
		["/v1/endpoints", { name: "once", url: URL }, "signing_secret"],
		["/v1/subscriptions", { endpoint: "once" }, "id"],
		["/v1/keys", { name: "once", role: "viewer" }, "key"],
	])("%s has the first response, with its secret", async (path, body, secret) => {
		const first = await post(path, body, `once${path}`);
		const again = await post(path, body, `once${path}`);
		expect([first.status, again.status]).toEqual([201, 201]);
		expect(first.headers.get("idempotency-replayed")).toBeNull();
		expect(again.headers.get("idempotency-replayed")).toBe("true");
		expect(again.headers.get("etag")).toBe(first.headers.get("etag"));
		expect(again.text).toBe(first.text);
		expect(again.body[secret]).toMatch(/./);
		const { data } = await must<Page>("GET", path);
		expect(data.filter(({ id }) => id === first.body.id)).toHaveLength(1);
		expect((await ask("GET", `/v1/audit?resource=${first.body.id}`)).body["data"]).toHaveLength(1);
	});

	test("a configuration's, with the secrets that were made, which are sealed in the database", async () => {
		const document = { endpoints: [{ name: "once-applied", url: URL }] };
		const first = await post("/v1/config", document, "applied");
		const again = await post("/v1/config", document, "applied");
		expect(again).toMatchObject({ status: 200, text: first.text });
		expect(again.headers.get("idempotency-replayed")).toBe("true");
		const secret = (again.body["secrets"] as Record<string, string>)[
			"endpoints/once-applied@1/signing_secret"
		];
		expect(secret).toMatch(/^whsec_/);
		const row = await env.DB.prepare("SELECT * FROM idempotency WHERE key = 'applied'").first();
		expect(row?.["response"]).toMatch(/^v1\./);
		expect(JSON.stringify(row)).not.toContain(secret);
	});

	test.each([
		["/v1/sources/once-rotated/secret/rotate", "secret"],
		["/v1/endpoints/once-rotated/secret/rotate", "signing_secret"],
	])("%s has the secret that was made first, and makes no other", async (path, secret) => {
		const [, , resource = ""] = path.split("/");
		await must("POST", `/v1/${resource}`, {
			name: "once-rotated",
			...(resource === "endpoints" && { url: URL }),
		});
		const first = await post(path, undefined, path);
		const again = await post(path, undefined, path);
		expect(again).toMatchObject({ status: 200, text: first.text });
		expect(again.body[secret]).toBe(first.body[secret]);
		const audit = await must<Page>("GET", `/v1/audit?resource=${first.body.id}`);
		expect(audit.data.filter(({ action }) => action === "rotate_secret")).toHaveLength(1);
	});

	test.each(["retry", "cancel"])("a bulk %s is the job that was begun first", async (action) => {
		const filters = { subject: `once-${action}` };
		const first = await post(`/v1/deliveries/${action}`, filters, `bulk-${action}`);
		const again = await post(`/v1/deliveries/${action}`, filters, `bulk-${action}`);
		expect(first.status).toBe(202);
		expect(again).toMatchObject({ status: 202, text: first.text });
		expect(again.headers.get("idempotency-replayed")).toBe("true");
		expect(await ask("GET", `/v1/bulk/${first.body.id}`)).toMatchObject({ status: 200 });
	});

	test("is not the same with another query", async () => {
		const document = { endpoints: [{ name: "once-planned", url: URL }] };
		expect((await post("/v1/config?dry_run=true", document, "planned")).body["dry_run"]).toBe(true);
		expect(await post("/v1/config", document, "planned")).toMatchObject({
			status: 422,
			body: { code: "idempotency_key_reused" },
		});
	});

	test("the secret is sealed in the database", async () => {
		const { body } = await post("/v1/sources", { name: "sealed" }, "sealed");
		const row = await env.DB.prepare("SELECT * FROM idempotency WHERE key = 'sealed'").first();
		expect(row?.["response"]).toMatch(/^v1\./);
		expect(JSON.stringify(row)).not.toContain(body["secret"]);
	});
});

test("a stolen database lets nobody guess what a request contained", async () => {
	const body = { name: "guessed", secret: "a-weak-secret-of-a-person" };
	expect((await post("/v1/sources", body, "guessed")).status).toBe(201);
	const row = await env.DB.prepare("SELECT * FROM idempotency WHERE key = 'guessed'").first();
	const text = `POST /v1/sources\n${JSON.stringify(body)}`;
	for (const encoding of ["hex", "base64url"] as const) {
		expect(row?.["fingerprint"]).not.toBe(createHash("sha256").update(text).digest(encoding));
	}
	expect(row?.["fingerprint"]).toBe(
		signOwn(env, "idempotency", createHash("sha256").update(text).digest("hex")),
	);
});

test("a request is recognised after the encryption key was replaced", async () => {
	const former = { ...env, ENCRYPTION_KEY: "former" };
	await claimKey(former, by("rekeyed"), "f", 1);
	const present = { ...env, ENCRYPTION_KEY: "present,former" };
	expect(await claimKey(present, by("rekeyed"), "f", 2)).toEqual({ outcome: "in_progress" });
	expect(await claimKey(present, by("rekeyed"), "g", 2)).toEqual({ outcome: "reused" });
});

test("the description names the header for exactly the routes that take it", () => {
	const taken = api.routes
		.filter(({ handler }) => handler === onceByKey)
		.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`);
	const described = OPERATIONS.filter(
		({ path, codes = [] }) => codes.includes("idempotency_key_reused") && path.startsWith("/v1/"),
	).map(({ method, path }) => `${method.toUpperCase()} ${path}`);
	expect(taken.toSorted()).toEqual(described.toSorted());
	expect(taken).toContain("POST /v1/deliveries/retry");
});

test("another body or another path is refused", async () => {
	await post("/v1/sources", { name: "first" }, "reused");
	for (const [path, body] of [
		["/v1/sources", { name: "second" }],
		["/v1/endpoints", { name: "first" }],
	] as const) {
		const answer = await post(path, body, "reused");
		expect(answer).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
	}
});

test("a failure is not kept", async () => {
	expect((await post("/v1/endpoints", { name: "failing", url: "nowhere" }, "failing")).status).toBe(422);
	expect((await post("/v1/endpoints", { name: "failing", url: URL }, "failing")).status).toBe(201);
});

test("the keys of two principals are two", async () => {
	const admin = await makeKey({ role: "admin" });
	const headers = { "idempotency-key": "shared" };
	expect((await ask("POST", "/v1/sources", { name: "of-root" }, headers)).status).toBe(201);
	expect((await askWith(admin, "POST", "/v1/sources", { name: "of-admin" }, headers)).status).toBe(201);
});

test("a key that cannot be one is refused, and nothing is made", async () => {
	const answer = await post("/v1/sources", { name: "unmade" }, "x".repeat(256));
	expect(answer).toMatchObject({ status: 400, body: { code: "invalid_idempotency_key" } });
	expect((await ask("GET", "/v1/sources/unmade")).status).toBe(404);
});

describe("a key in the database", () => {
	const NOW = 1_800_000_000_000;
	const DAY = 86_400_000;
	const response = { status: 201, body: "{}", etag: null };

	test("is claimed once, and is in progress until its response is kept", async () => {
		const claimed = await claimKey(env, by("a"), "f", NOW);
		if (claimed.outcome !== "claimed") throw new Error(claimed.outcome);
		expect(await claimKey(env, by("a"), "f", NOW + 1)).toEqual({ outcome: "in_progress" });
		expect(await claimKey(env, by("a"), "g", NOW + 1)).toEqual({ outcome: "reused" });
		await keepResponse(env, by("a"), claimed.claim, response);
		expect(await claimKey(env, by("a"), "f", NOW + DAY - 1)).toEqual({ outcome: "kept", response });
		expect((await claimKey(env, by("a"), "g", NOW + DAY)).outcome).toBe("claimed");
	});

	test("of a request that was lost is claimed anew, and the lost one keeps nothing", async () => {
		const lost = await claimKey(env, by("b"), "f", NOW);
		if (lost.outcome !== "claimed") throw new Error(lost.outcome);
		expect((await claimKey(env, by("b"), "f", NOW + 59_999)).outcome).toBe("in_progress");
		expect((await claimKey(env, by("b"), "f", NOW + 60_000)).outcome).toBe("claimed");
		await keepResponse(env, by("b"), lost.claim, response);
		await releaseKey(env, by("b"), lost.claim);
		expect((await claimKey(env, by("b"), "f", NOW + 60_001)).outcome).toBe("in_progress");
	});

	test("is swept after a day", async () => {
		await claimKey(env, by("c"), "f", NOW - DAY);
		await claimKey(env, by("d"), "f", NOW - DAY + 1);
		await sweepKeys(env, NOW);
		const { results } = await env.DB.prepare("SELECT key FROM idempotency WHERE key IN ('c', 'd')").all();
		expect(results).toEqual([{ key: "d" }]);
	});

	test("at the API: one that is under way", async () => {
		await claimKey(env, { principalId: "root", key: "busy" }, "f", Date.now());
		const body = { name: "busy" };
		expect(await post("/v1/sources", body, "busy")).toMatchObject({ status: 422 });
		await env.DB.prepare("DELETE FROM idempotency WHERE key = 'busy'").run();
		const [one, other] = await Promise.all([
			post("/v1/sources", body, "busy"),
			post("/v1/sources", body, "busy"),
		]);
		// Whoever comes second is told to wait, or is late enough to have the response.
		const statuses = [Math.min(one.status, other.status), Math.max(one.status, other.status)];
		expect([
			[201, 201],
			[201, 409],
		]).toContainEqual(statuses);
		for (const answer of [one, other]) {
			if (answer.status === 409) expect(answer.body["code"]).toBe("idempotency_in_progress");
		}
	});
});
