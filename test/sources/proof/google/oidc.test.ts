import { SignJWT, exportJWK, generateKeyPair } from "jose";
import { afterEach, beforeAll, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { verify } from "../../../../src/sources/proof/verify.ts";
import type { SourceAuth } from "../../../../src/store/records.ts";
import { makeSource } from "../../make-source.ts";

const EMAIL = "pusher@app.iam.gserviceaccount.com";
const ENDPOINT = "https://sluice.example/in/scans";
const AUTH: SourceAuth = { type: "google_oidc", audience: null, email: EMAIL };
const DAY_MS = 86_400_000;

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;
let google: KeyPair;
let stranger: KeyPair;
beforeAll(async () => {
	[google, stranger] = await Promise.all([generateKeyPair("RS256"), generateKeyPair("RS256")]);
});

/** Days apart, so that what one test has made the isolate keep has expired in the next. */
let now = Date.UTC(2026, 0, 1);
let fetched: MockInstance<typeof fetch>;
beforeEach(async () => {
	now += 10 * DAY_MS;
	fetched = vi.spyOn(globalThis, "fetch");
	answerKeys(await keySet("key-1"));
});
afterEach(() => {
	fetched.mockRestore();
});

async function keySet(...ids: string[]): Promise<object> {
	const jwk = await exportJWK(google.publicKey);
	return { keys: ids.map((kid) => ({ ...jwk, kid, alg: "RS256", use: "sig" })) };
}

function answerKeys(
	body: object,
	headers: Record<string, string> = { "cache-control": "public, max-age=3600" },
) {
	fetched.mockImplementation(async () => Response.json(body, { headers }));
}

interface TokenChanges {
	claims?: Record<string, unknown>;
	header?: { alg?: string; kid?: string };
	signer?: KeyPair;
	issuedAt?: number;
}

/** As Pub/Sub sends it, valid for an hour. */
function token({ claims, header, signer = google, issuedAt = now }: TokenChanges = {}): Promise<string> {
	const seconds = Math.floor(issuedAt / 1000);
	const standard = {
		iss: "https://accounts.google.com",
		aud: ENDPOINT,
		azp: "113774264463038321964",
		sub: "113774264463038321964",
		email: EMAIL,
		email_verified: true,
		iat: seconds,
		exp: seconds + 3600,
	};
	return new SignJWT({ ...standard, ...claims })
		.setProtectedHeader({ alg: "RS256", kid: "key-1", typ: "JWT", ...header })
		.sign(signer.privateKey);
}

async function check(bearer: string | null, auth = AUTH, url = ENDPOINT): Promise<boolean> {
	return (await verified(bearer, auth, url)).ok;
}

function verified(bearer: string | null, auth = AUTH, url = ENDPOINT) {
	return verify(makeSource({ auth }), {
		headers: new Headers(bearer === null ? {} : { authorization: `Bearer ${bearer}` }),
		url,
		body: new Uint8Array(),
		now,
	});
}

test("Google's token for the service account and this URL", async () => {
	expect(await check(await token())).toBe(true);
	const [url, init] = fetched.mock.calls[0] ?? [];
	expect(url).toBe("https://www.googleapis.com/oauth2/v3/certs");
	expect(init).toMatchObject({ redirect: "manual" });
});

test("the source may name another audience", async () => {
	const auth: SourceAuth = { ...AUTH, audience: "sluice" };
	expect(await check(await token({ claims: { aud: "sluice" } }), auth)).toBe(true);
	expect(await check(await token(), auth)).toBe(false);
});

describe("refused", () => {
	test.each<[string, TokenChanges]>([
		["another audience", { claims: { aud: "https://sluice.example/in/other" } }],
		["another service account", { claims: { email: "somebody@gmail.com" } }],
		["an email that is not verified", { claims: { email_verified: false } }],
		["an email that is verified in words", { claims: { email_verified: "true" } }],
		["no email", { claims: { email: undefined } }],
		["another issuer", { claims: { iss: "https://accounts.example.com" } }],
		["no end", { claims: { exp: undefined } }],
		["a key that Google does not have", { header: { kid: "key-2" } }],
		["another algorithm", { header: { alg: "PS256" } }],
	])("%s", async (_what, changes) => {
		const signer = changes.header?.alg === "PS256" ? await generateKeyPair("PS256") : google;
		expect(await check(await token({ ...changes, signer }))).toBe(false);
	});

	test("a signature by another key under the name of Google's", async () => {
		expect(await check(await token({ signer: stranger }))).toBe(false);
	});

	test("a token without a signature", async () => {
		const [, payload] = (await token()).split(".");
		const header = Buffer.from('{"alg":"none","kid":"key-1"}').toString("base64url");
		expect(await check(`${header}.${payload}.`)).toBe(false);
	});

	test("a claim that was changed after signing", async () => {
		const [header, , signature] = (await token({ claims: { email: "somebody@gmail.com" } })).split(".");
		const [, payload] = (await token()).split(".");
		expect(await check(`${header}.${payload}.${signature}`)).toBe(false);
	});

	test.each([["no token"], ["x"], ["a.b.c"], ["e30.e30.e30"], ["x".repeat(100_000)]])(
		"%.20s",
		async (text) => {
			expect(await check(text === "no token" ? null : text)).toBe(false);
			expect(fetched).not.toHaveBeenCalled();
		},
	);

	test("a token with wrong claims causes no request to Google", async () => {
		await check(await token({ claims: { email: "somebody@gmail.com" } }));
		await check(await token({ claims: { aud: "x" } }));
		expect(fetched).not.toHaveBeenCalled();
	});
});

describe("the clock", () => {
	const HOUR_MS = 3_600_000;
	test.each([
		["ended within the tolerance", HOUR_MS + 299_000, true],
		["ended before it", HOUR_MS + 301_000, false],
	])("a token that has %s", async (_what, age, expected) => {
		expect(await check(await token({ issuedAt: now - age }))).toBe(expected);
	});
});

const tokenAt = async (time: number, kid = "key-1") => {
	now = time;
	return check(await token({ header: { kid } }));
};

describe("Google's keys", () => {
	test("are kept as long as Google says", async () => {
		const start = now;
		expect(await tokenAt(start)).toBe(true);
		expect(await tokenAt(start + 3_599_000)).toBe(true);
		expect(fetched).toHaveBeenCalledTimes(1);
		expect(await tokenAt(start + 3_600_000)).toBe(true);
		expect(fetched).toHaveBeenCalledTimes(2);
	});

	test.each([
		["an hour when nothing is said", {}, 3_599_000, 3_600_000],
		["five minutes at least", { "cache-control": "no-store, max-age=0" }, 299_000, 300_000],
		["a day at most", { "cache-control": "max-age=99999999" }, DAY_MS - 1, DAY_MS],
	])("%s", async (_what, headers, kept, expired) => {
		answerKeys(await keySet("key-1"), headers);
		const start = now;
		await tokenAt(start);
		await tokenAt(start + kept);
		expect(fetched).toHaveBeenCalledTimes(1);
		await tokenAt(start + expired);
		expect(fetched).toHaveBeenCalledTimes(2);
	});

	test("are asked for again for a new key, once a minute at most", async () => {
		const start = now;
		expect(await tokenAt(start)).toBe(true);
		answerKeys(await keySet("key-1", "key-2"));
		expect(await tokenAt(start + 59_000, "key-2")).toBe(false);
		expect(fetched).toHaveBeenCalledTimes(1);
		expect(await tokenAt(start + 60_000, "key-2")).toBe(true);
		expect(fetched).toHaveBeenCalledTimes(2);
		expect(await tokenAt(start + 61_000, "key-3")).toBe(false);
		expect(fetched).toHaveBeenCalledTimes(2);
	});

	test.each<[string, () => Promise<Response>]>([
		["Google is not reached", () => Promise.reject(new Error("down"))],
		["Google fails", async () => new Response("", { status: 500 })],
		[
			"Google redirects",
			async () => new Response("", { status: 302, headers: { location: "https://x.example" } }),
		],
		["no JSON comes", async () => new Response("<html>")],
		["no keys come", async () => Response.json({ keys: [] })],
		["far too much comes", async () => new Response(" ".repeat(100_000))],
	])("%s: that is no fault of the publisher", async (_what, answer) => {
		fetched.mockImplementation(answer);
		const refusal = { ok: false, status: 503, code: "keys_unavailable", headers: { "retry-after": "5" } };
		expect(await verified(await token())).toMatchObject(refusal);
	});
});
