/** Auth `hmac` beyond the plain body. Signatures are made here with node:crypto alone. */
import { createHmac } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verify } from "../../../src/sources/proof/verify.ts";
import { type HmacAuth, sourceAuthSchema } from "../../../src/store/resources/source-auth.ts";

const URL = "https://sluice.example/in/shop?a=1";
const NOW = 1_767_323_045_000;
const FORM = { "content-type": "application/x-www-form-urlencoded" };

function hmac(changes: Partial<HmacAuth> = {}): HmacAuth {
	return { type: "hmac", header: "x-sig", algorithm: "sha256", encoding: "hex", prefix: "", ...changes };
}

async function check(
	auth: HmacAuth,
	{ headers, body, secret = "secret-1" }: { headers: HeadersInit; body: string; secret?: string },
): Promise<boolean> {
	const secrets = [{ value: secret, createdAt: 0, expiresAt: null }];
	const request = { headers: new Headers(headers), url: URL, body: Buffer.from(body), now: NOW };
	return (await verify({ auth, secrets, settings: {} }, request)).ok;
}

const sign = (content: string, key: string | Uint8Array = "secret-1") =>
	createHmac("sha256", key).update(content).digest("hex");

test("auth stored by release 0.1 lacks the newer fields, and verifies as before", async () => {
	const stored = sourceAuthSchema.parse(
		JSON.parse('{"type":"hmac","header":"x-sig","algorithm":"sha256","encoding":"hex","prefix":"p="}'),
	) as HmacAuth;
	expect(await check(stored, { body: "{}", headers: { "x-sig": `p=${sign("{}")}` } })).toBe(true);
	expect(await check(stored, { body: "{ }", headers: { "x-sig": `p=${sign("{}")}` } })).toBe(false);
});

test("a template of a newer release, with a place that this one does not know, is not read", () => {
	expect(sourceAuthSchema.safeParse(hmac({ signed_content: "{query}{body}" })).success).toBe(false);
});

describe("the secret as a key", () => {
	const key = Buffer.from("a key of sixteen");
	test.each([
		["base64", "base64", key.toString("base64"), true],
		["base64 without its end", "base64", key.toString("base64").replace(/=+$/, ""), true],
		["base64url", "base64", Buffer.from([251, 255, 1, 2, 3, 4, 5, 6]).toString("base64url"), true],
		["hex", "hex", key.toString("hex"), true],
		["upper-case hex", "hex", key.toString("hex").toUpperCase(), true],
		["no base64", "base64", "not base64!", false],
		["half a byte", "hex", "abc", false],
		["no hex", "hex", "xyz0", false],
	] as const)("%s", async (_what, encoding, secret, isKey) => {
		const auth = hmac({ secret_encoding: encoding });
		const decoded = Buffer.from(secret, encoding);
		expect(await check(auth, { body: "b", headers: { "x-sig": sign("b", decoded) }, secret })).toBe(isKey);
		// Its text is not the key.
		expect(await check(auth, { body: "b", headers: { "x-sig": sign("b", secret) }, secret })).toBe(false);
	});
});

describe("several signatures in one header", () => {
	const good = `v=${sign("b")}`;
	const bad = `v=${sign("b", "former-secret")}`;
	test.each([
		["commas", `${bad},${good}`, true],
		["commas and spaces", `${bad}, ${good}`, true],
		["spaces", `${bad} ${good}`, true],
		["the first", `${good},${bad}`, true],
		["one, with a comma behind it", `${good},`, true],
		["among twenty", `${`${bad},`.repeat(19)}${good}`, true],
		["none beyond twenty", `${`${bad},`.repeat(20)}${good}`, false],
		["bad ones", `${bad},${bad}`, false],
		["no prefix", `${bad},${sign("b")}`, false],
		["separators alone", " , ,, ", false],
	])("%s", async (_what, header, expected) => {
		expect(await check(hmac({ prefix: "v=" }), { body: "b", headers: { "x-sig": header } })).toBe(expected);
	});

	test("a prefix may have a space and a comma in it", async () => {
		const auth = hmac({ prefix: "HMAC one, " });
		expect(await check(auth, { body: "b", headers: { "x-sig": `HMAC one, ${sign("b")}` } })).toBe(true);
	});
});

describe("the signed content", () => {
	test("method, URL with its query, headers and text around the body", async () => {
		const auth = hmac({ signed_content: "{method} {url}|{header:X-Id}|{body}|end" });
		const headers = { "x-sig": sign(`POST ${URL}|7|b|end`), "x-id": "7" };
		expect(await check(auth, { body: "b", headers })).toBe(true);
		expect(await check(auth, { body: "b", headers: { ...headers, "x-id": "8" } })).toBe(false);
	});

	test("a header that is missing is not an empty one", async () => {
		const auth = hmac({ signed_content: "{header:x-id}.{body}" });
		const headers = { "x-sig": sign(".b") };
		expect(await check(auth, { body: "b", headers: { ...headers, "x-id": "" } })).toBe(true);
		expect(await check(auth, { body: "b", headers })).toBe(false);
	});

	test("nothing in a header or the body is a place of the template", async () => {
		const auth = hmac({ signed_content: "{header:x-id}.{body}" });
		const headers = { "x-sig": sign("{body}.$&{url}"), "x-id": "{body}" };
		expect(await check(auth, { body: "$&{url}", headers })).toBe(true);
	});
});

function at(time: string): { body: string; headers: Record<string, string> } {
	return { body: "b", headers: { "x-sig": sign(`${time}.b`), "x-time": time } };
}

describe("a signed time", () => {
	const auth = hmac({
		signed_content: "{timestamp}.{body}",
		timestamp_header: "X-Time",
		tolerance_seconds: 60,
	});
	const seconds = NOW / 1000;
	test.each([
		["seconds", String(seconds), true],
		["milliseconds", String(NOW), true],
		["as old as may be", String(seconds - 60), true],
		["too old", String(seconds - 61), false],
		["as new as may be", String(NOW + 60_999), true],
		["too new", String(NOW + 61_000), false],
		["too old, in ms", String(NOW - 61_000), false],
		["microseconds", `${NOW}000`, false],
		["no digits", "2026-01-02T03:04:05Z", false],
		["a sign", `+${seconds}`, false],
		["a fraction", `${seconds}.5`, false],
		["empty", "", false],
	])("%s", async (_what, time, expected) => {
		expect(await check(auth, at(time))).toBe(expected);
	});

	test("is the one that was signed", async () => {
		const sent = at(String(seconds));
		expect(await check(auth, { ...sent, headers: { ...sent.headers, "x-time": String(seconds + 1) } })).toBe(
			false,
		);
		expect(await check(auth, { body: "b", headers: { "x-sig": sign(".b") } })).toBe(false);
	});
});

describe("{form}", () => {
	const auth = hmac({ signed_content: "{url}{form}" });
	const post = (body: string, joined: string, headers: Record<string, string> = FORM) =>
		check(auth, { body, headers: { ...headers, "x-sig": sign(URL + joined) } });

	test.each([
		["sorted by name, case counts", "b=2&a=1&B=3", "B3a1b2"],
		["decoded", "n=%C3%BC+%26&a=", "an\u00fc &"],
		["a name twice: its values sorted", "a=2&b=3&a=1", "a1a2b3"],
		["a value twice counts once", "a=1&a=1", "a1"],
		["no value", "a&b=1", "ab1"],
		["empty pairs", "&&a=1&", "a1"],
		["nothing", "", ""],
	])("%s", async (_what, body, joined) => {
		expect(await post(body, joined)).toBe(true);
		expect(await post(`${body}&zz=added`, joined)).toBe(false);
	});

	test("proves nothing of what is no form", async () => {
		expect(await post('{"a":1}', "", { "content-type": "application/json" })).toBe(false);
		expect(await post("a=%ff", "a")).toBe(false);
		expect(await check(auth, { body: "a=1", headers: { "x-sig": sign(`${URL}a1`) } })).toBe(false);
	});

	test("any form, as Twilio's own helper joins it", async () => {
		const text = fc.string({ unit: "grapheme", maxLength: 6 }).filter((word) => word.isWellFormed());
		await fc.assert(
			fc.asyncProperty(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 8 }), async (fields) => {
				const body = new URLSearchParams(fields).toString();
				const names = [...new Set(fields.map(([name]) => name))].sort();
				const joined = names
					.flatMap((name) =>
						[...new Set(fields.filter(([one]) => one === name).map(([, value]) => value))]
							.sort()
							.map((value) => name + value),
					)
					.join("");
				expect(await post(body, joined)).toBe(true);
			}),
		);
	});
});
