import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import { verify } from "../../../src/sources/proof/verify.ts";
import type { SourceAuth } from "../../../src/store/records.ts";
import { makeSource } from "../make-source.ts";

const NOW = 1_614_265_330_000;
const utf8 = new TextEncoder();

interface Sent {
	headers?: Record<string, string>;
	body?: string;
	query?: string;
	now?: number;
}

async function check(auth: SourceAuth, secrets: (string | [string, number])[], sent: Sent): Promise<boolean> {
	return (await verified(auth, secrets, sent)).ok;
}

async function verified(auth: SourceAuth, secrets: (string | [string, number])[], sent: Sent) {
	const live = secrets.map((secret) =>
		typeof secret === "string"
			? { value: secret, createdAt: 0, expiresAt: null }
			: { value: secret[0], createdAt: 0, expiresAt: secret[1] },
	);
	return verify(makeSource({ auth, secrets: live }), {
		headers: new Headers(sent.headers),
		url: `https://sluice.example/in/s${sent.query ?? ""}`,
		body: utf8.encode(sent.body ?? ""),
		now: sent.now ?? NOW,
	});
}

function basic(credentials: string): Record<string, string> {
	return { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
}

describe("bearer", () => {
	test.each([
		["the secret", "Bearer s3cret", true],
		["the scheme in other case", "bEARER s3cret", true],
		["another secret", "Bearer other", false],
		["a longer secret", "Bearer s3cret2", false],
		["a part of it", "Bearer s3cre", false],
		["the secret and more", "Bearer s3cret x", false],
		["another scheme", "Basic s3cret", false],
		["no scheme", "s3cret", false],
		["a scheme alone", "Bearer", false],
	])("%s", async (_what, authorization, expected) => {
		expect(await check({ type: "bearer" }, ["s3cret"], { headers: { authorization } })).toBe(expected);
	});

	test("no header", async () => {
		expect(await check({ type: "bearer" }, ["s3cret"], {})).toBe(false);
	});
});

describe("a secret that release 0.1 stored with white space around it", () => {
	const body = '{"a":1}';
	const signedWith = (secret: string) => createHmac("sha256", secret).update(body).digest("hex");
	const hmac: SourceAuth = {
		type: "hmac",
		header: "x-sig",
		algorithm: "sha256",
		encoding: "hex",
		prefix: "",
	};

	test.each(["s3cret", "s3cret\n"])("proves by %j", async (used) => {
		const sent = { body, headers: { "x-sig": signedWith(used) } };
		expect(await check(hmac, ["s3cret\n"], sent)).toBe(true);
		const authorized = { headers: basic(`db:${used}`) };
		expect(await check({ type: "basic", username: "db" }, ["s3cret\n"], authorized)).toBe(true);
	});

	test("proves nothing when there is nothing else in it", async () => {
		for (const used of ["", "        "]) {
			const sent = { body, headers: { "x-sig": signedWith(used) } };
			expect(await check(hmac, ["        "], sent)).toBe(false);
		}
	});
});

test.each([
	["user and secret", basic("db:s3:cret é"), true],
	["another user", basic("xx:s3:cret é"), false],
	["another secret", basic("db:s3"), false],
	["no base64", { authorization: "Basic ***" }, false],
	["no header", {}, false],
])("basic: %s", async (_what, headers, expected) => {
	expect(await check({ type: "basic", username: "db" }, ["s3:cret é"], { headers })).toBe(expected);
});

test.each([
	["the secret", { "x-api-key": "s3cret" }, true],
	["another secret", { "x-api-key": "other" }, false],
	["another header", { "x-key": "s3cret" }, false],
])("header: %s", async (_what, headers, expected) => {
	expect(await check({ type: "header", name: "X-Api-Key" }, ["s3cret"], { headers })).toBe(expected);
});

test.each([
	["the secret", "?token=s3%20cret", true],
	["another secret", "?token=other", false],
	["no token", "?key=s3%20cret", false],
	["no query", "", false],
])("url_token: %s", async (_what, query, expected) => {
	expect(await check({ type: "url_token" }, ["s3 cret"], { query })).toBe(expected);
});

test("auth none accepts every request", async () => {
	expect(await check({ type: "none" }, [], {})).toBe(true);
});

describe("hmac", () => {
	// Known answer of GitHub's documentation, "Validating webhook deliveries".
	const github: SourceAuth = {
		type: "hmac",
		header: "X-Hub-Signature-256",
		algorithm: "sha256",
		encoding: "hex",
		prefix: "sha256=",
	};
	const digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

	test.each([
		["the published signature", `sha256=${digest}`, "Hello, World!", true],
		["upper-case hex", `sha256=${digest.toUpperCase()}`, "Hello, World!", true],
		["another body", `sha256=${digest}`, "Hello, World?", false],
		["no prefix", digest, "Hello, World!", false],
		["a cut signature", `sha256=${digest.slice(0, 62)}`, "Hello, World!", false],
		["the prefix alone", "sha256=", "Hello, World!", false],
		["no hex", `sha256=${"z".repeat(64)}`, "Hello, World!", false],
	])("%s", async (_what, signature, body, expected) => {
		const headers = { "x-hub-signature-256": signature };
		expect(await check(github, ["It's a Secret to Everybody"], { headers, body })).toBe(expected);
	});

	test.each([
		["sha1", "hex"],
		["sha256", "base64"],
		["sha384", "hex"],
		["sha512", "base64"],
	] as const)("%s in %s", async (algorithm, encoding) => {
		const auth: SourceAuth = { type: "hmac", header: "x-sig", algorithm, encoding, prefix: "" };
		const sign = (key: string): string => createHmac(algorithm, key).update("body").digest(encoding);
		expect(await check(auth, ["key"], { headers: { "x-sig": sign("key") }, body: "body" })).toBe(true);
		expect(await check(auth, ["key"], { headers: { "x-sig": sign("other") }, body: "body" })).toBe(false);
	});
});

describe("standard_webhooks", () => {
	const auth: SourceAuth = { type: "standard_webhooks" };
	// Known answer of the Standard Webhooks reference implementations.
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
	const body = '{"test": 2432232314}';
	const signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
	const other = "v1,AAAA9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
	const headers = {
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": signature,
	};

	test.each([
		["the published signature", headers, true],
		[
			"svix names",
			Object.fromEntries(
				Object.entries(headers).map(([name, value]) => [name.replace("webhook", "svix"), value]),
			),
			true,
		],
		[
			"one good signature of several",
			{ ...headers, "webhook-signature": `v1a,xyz ${other} ${signature}` },
			true,
		],
		[
			"a good signature behind more than anybody sends",
			{ ...headers, "webhook-signature": `${`${other} `.repeat(20)}${signature}` },
			false,
		],
		["only bad signatures", { ...headers, "webhook-signature": `${other} v2,x` }, false],
		["an unknown version", { ...headers, "webhook-signature": signature.replace("v1", "v9") }, false],
		["no version", { ...headers, "webhook-signature": signature.slice(3) }, false],
		["an empty signature", { ...headers, "webhook-signature": "v1," }, false],
		["another id", { ...headers, "webhook-id": "msg_x" }, false],
		["another timestamp", { ...headers, "webhook-timestamp": "1614265331" }, false],
		["a timestamp that is no number", { ...headers, "webhook-timestamp": "1614265330.0" }, false],
		["a timestamp with a sign", { ...headers, "webhook-timestamp": "+1614265330" }, false],
		["no timestamp", { "webhook-id": "msg_x", "webhook-signature": signature }, false],
		[
			"names of both families mixed",
			{ ...headers, "webhook-id": "", "svix-id": headers["webhook-id"] },
			false,
		],
	])("%s", async (_what, sent, expected) => {
		expect(await check(auth, [secret], { headers: sent, body })).toBe(expected);
	});

	test.each([
		["300 s old", 300, true],
		["301 s old", 301, false],
		["300 s ahead", -300, true],
		["301 s ahead", -301, false],
	])("%s", async (_what, seconds, expected) => {
		expect(await check(auth, [secret], { headers, body, now: NOW + seconds * 1000 })).toBe(expected);
	});

	test("a dot in the id could move its border: refused although signed", async () => {
		const signed = new Webhook(secret).sign("msg.1", new Date(NOW), body);
		expect(
			await check(auth, [secret], {
				headers: { ...headers, "webhook-id": "msg.1", "webhook-signature": signed },
				body,
			}),
		).toBe(false);
	});

	test("an empty key verifies nothing", async () => {
		const forged = createHmac("sha256", "").update(`m.1614265330.${body}`).digest("base64");
		const sent = { ...headers, "webhook-id": "m", "webhook-signature": `v1,${forged}` };
		expect(await check(auth, ["whsec_"], { headers: sent, body })).toBe(false);
	});

	test("it takes what the standardwebhooks package signs, and nothing the package refuses", async () => {
		const webhook = new Webhook(secret);
		const signed = webhook.sign("msg_1", new Date(NOW), "é\n{}");
		const sent = { "webhook-id": "msg_1", "webhook-timestamp": "1614265330", "webhook-signature": signed };
		expect(await check(auth, [secret], { headers: sent, body: "é\n{}" })).toBe(true);
		expect(await check(auth, [secret.replace("whsec_", "")], { headers: sent, body: "é\n{}" })).toBe(true);
		expect(await check(auth, [secret], { headers: sent, body: "é\n{} " })).toBe(false);
	});
});

describe("rotation", () => {
	test.each([
		["the new secret", "new", true],
		["the old one while it overlaps", "old", true],
		["one that has expired", "older", false],
		["one that expires now", "oldest", false],
	])("%s", async (_what, secret, expected) => {
		const secrets: (string | [string, number])[] = [
			"new",
			["old", NOW + 1],
			["older", NOW - 1],
			["oldest", NOW],
		];
		expect(await check({ type: "bearer" }, secrets, { headers: { authorization: `Bearer ${secret}` } })).toBe(
			expected,
		);
	});

	test.each([
		["no secret at all", []],
		["an empty secret", [""]],
	])("%s accepts no request", async (_what, secrets) => {
		expect(await check({ type: "url_token" }, secrets, { query: "?token=" })).toBe(false);
	});
});

async function challenge(auth: SourceAuth): Promise<string | null | undefined> {
	const refusal = await verified(auth, ["s3cret"], {});
	return refusal.ok ? null : refusal.headers?.["www-authenticate"];
}

test("a 401 names the scheme where HTTP has one", async () => {
	expect(await challenge({ type: "bearer" })).toBe("Bearer");
	expect(await challenge({ type: "basic", username: "u" })).toMatch(/^Basic realm=/);
	expect(await challenge({ type: "url_token" })).toBeUndefined();
});
