import { describe, expect, test } from "vitest";
import {
	type SignedAuth,
	schemeOf,
	signatureHeadersOf,
	verifySignature,
} from "../../../src/sources/proof/signature-schemes.ts";
import type { SignatureScheme } from "../../../src/sources/proof/signature-scheme.ts";

const NOW = 1_531_420_618_000;
const URL = "https://sluice.example/in/publisher";
const utf8 = new TextEncoder();

function check(auth: SignedAuth, secret: string, headers: HeadersInit, body: string, now = NOW): boolean {
	return verifySignature(schemeOf(auth), secret, {
		url: URL,
		headers: new Headers(headers),
		body: utf8.encode(body),
		now,
	});
}

function sign(auth: SignedAuth, secret: string, body: string): Record<string, string> {
	const request = { url: URL, headers: new Headers(), body: utf8.encode(body) };
	return signatureHeadersOf(schemeOf(auth), secret, request, NOW);
}

/** Slack's published example: a slash command. */
const SLASH_COMMAND =
	"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar" +
	"&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com" +
	"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";

describe("examples from the providers' documentation", () => {
	test("GitHub, Validating webhook deliveries", () => {
		const signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
		const headers = { "X-Hub-Signature-256": signature };
		const secret = "It's a Secret to Everybody";
		expect(check({ type: "github" }, secret, headers, "Hello, World!")).toBe(true);
		expect(check({ type: "github" }, secret, headers, "Hello, World?")).toBe(false);
		expect(sign({ type: "github" }, secret, "Hello, World!")).toEqual({
			"x-hub-signature-256": signature,
		});
	});

	test("Slack, Verifying requests from Slack", () => {
		const secret = "8f742231b10e8888abcd99yyyzzz85a5";
		const headers = {
			"x-slack-signature": "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
			"x-slack-request-timestamp": "1531420618",
		};
		expect(check({ type: "slack" }, secret, headers, SLASH_COMMAND)).toBe(true);
		expect(check({ type: "slack" }, secret, headers, `${SLASH_COMMAND}&x=`)).toBe(false);
		expect(sign({ type: "slack" }, secret, SLASH_COMMAND)).toEqual(headers);
	});
});

describe("Stripe", () => {
	const secret = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH";
	const payload = '{"id": "evt_1", "amount": 9007199254740993}';
	// As version 23.1 of the stripe package signs it.
	const good = "v1=e30040642f44211f4bf332cfc3f427e93b4534d81eca1cfc8452cca1e279de1c";
	const bad = `v1=${"0".repeat(64)}`;
	const accepts = (value: string): boolean =>
		check({ type: "stripe" }, secret, { "stripe-signature": value }, payload);

	test.each([
		["Stripe's signature", `t=1531420618,${good}`, true],
		["one of several, while the secret is rotated", `t=1531420618,${bad},${good}`, true],
		["other entries and spaces beside it", `t=1531420618, ${good} ,v0=00`, true],
		["only bad ones", `t=1531420618,${bad},${bad}`, false],
		["under another version", `t=1531420618,${good.replace("v1", "v0")}`, false],
		["another time than was signed", `t=1531420619,${good}`, false],
		["an empty time", `t=,${good}`, false],
		["no time", good, false],
		["a time alone", "t=1531420618", false],
		["an empty signature", "t=1531420618,v1=", false],
		["no list", "1531420618", false],
		["separators alone", ",,,=,", false],
	])("%s", (_what, value, expected) => {
		expect(accepts(value)).toBe(expected);
	});
});

describe("every scheme", () => {
	const AUTHS: SignedAuth[] = [
		{ type: "github" },
		{ type: "shopify" },
		{ type: "slack" },
		{ type: "stripe" },
		{ type: "hmac", header: "X-Sig", algorithm: "sha512", encoding: "base64", prefix: "v=" },
	];
	const body = '{"a": "é"}';

	test.each(AUTHS)("$type takes what it signs, and nothing else", (auth) => {
		const headers = sign(auth, "secret-1", body);
		expect(check(auth, "secret-1", headers, body)).toBe(true);
		expect(check(auth, "secret-2", headers, body)).toBe(false);
		expect(check(auth, "secret-1", headers, `${body} `)).toBe(false);
		expect(check(auth, "secret-1", {}, body)).toBe(false);
		for (const name of Object.keys(headers)) {
			expect(check(auth, "secret-1", { ...headers, [name]: "" }, body)).toBe(false);
		}
	});

	test.each(AUTHS)("$type keeps 5 minutes, either way, where the time is signed", (auth) => {
		const scheme: SignatureScheme = schemeOf(auth);
		const isTimed = scheme.timestamp !== null;
		const headers = sign(auth, "secret-1", body);
		for (const [seconds, isFresh] of [
			[300, true],
			[-300, true],
			[301, false],
			[-301, false],
		] as const) {
			expect(check(auth, "secret-1", headers, body, NOW + seconds * 1000)).toBe(isFresh || !isTimed);
		}
	});
});
