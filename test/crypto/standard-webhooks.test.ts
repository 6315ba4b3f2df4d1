import { createPublicKey, verify } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import {
	generateSigningSecret,
	liveSecrets,
	refuseSigningSecret,
	signatureHeaders,
} from "../../src/crypto/standard-webhooks.ts";

const id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const timestampSeconds = 1614265330;
const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WHSEC_PADDED = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const WHSK = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const WHSK_PUBLIC = "1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const BODY = '{"test": 2432232314}';

describe("the signature", () => {
	test.each([
		["of the specification's example", WHSEC, BODY, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="],
		["of an empty body", WHSEC, "", "v1,v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A="],
		["of a body beyond ASCII", WHSEC, '{"name":"Zoë"}', "v1,3Y0uOXEca2zsElJwlDVR3YZoq8JPNDFNFfgiXf6SB8Y="],
		["by a key with padding", WHSEC_PADDED, BODY, "v1,O4Gjv1HqPqsMrjmczoggs/sWA8gZD0VyHG+fLh4+ktI="],
		[
			"by an Ed25519 key",
			WHSK,
			BODY,
			"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
		],
	])("%s is known", (_, secret, body, signature) => {
		const asText = signatureHeaders({ id, timestampSeconds, body, secrets: [secret] });
		const asBytes = signatureHeaders({
			id,
			timestampSeconds,
			body: new TextEncoder().encode(body),
			secrets: [secret],
		});
		expect(asText).toEqual({
			"webhook-id": id,
			"webhook-timestamp": "1614265330",
			"webhook-signature": signature,
		});
		expect(asBytes).toEqual(asText);
	});

	test("is made once with each live secret, newest first", () => {
		const signed = signatureHeaders({
			id,
			timestampSeconds,
			body: BODY,
			secrets: [WHSK, WHSEC_PADDED, WHSEC],
		});
		expect(signed["webhook-signature"]?.split(" ").map((signature) => signature.slice(0, 8))).toEqual([
			"v1a,hnO3",
			"v1,O4Gjv",
			"v1,g0hM9",
		]);
	});

	test("is never left out", () => {
		expect(() => signatureHeaders({ id, timestampSeconds, body: BODY, secrets: [] })).toThrow(
			"without a secret",
		);
	});
});

describe("a receiver", () => {
	const now = Math.floor(Date.now() / 1000);

	test.each(["{}", "[1, 2]", '{"name":"Zoë","emoji":"🦊"}'])(
		"with the standardwebhooks package accepts %j",
		(body) => {
			const secret = generateSigningSecret();
			const headers = signatureHeaders({ id, timestampSeconds: now, body, secrets: [secret] });
			expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
		},
	);

	test("that has the old or the new secret accepts a request while rotating", () => {
		const headers = signatureHeaders({
			id,
			timestampSeconds: now,
			body: BODY,
			secrets: [WHSEC_PADDED, WHSEC],
		});
		expect(new Webhook(WHSEC).verify(BODY, headers)).toEqual(JSON.parse(BODY));
		expect(new Webhook(WHSEC_PADDED).verify(BODY, headers)).toEqual(JSON.parse(BODY));
	});

	test("refuses another body, another id, another time", () => {
		const headers = signatureHeaders({ id, timestampSeconds: now, body: BODY, secrets: [WHSEC] });
		const receiver = new Webhook(WHSEC);
		expect(() => receiver.verify(`${BODY} `, headers)).toThrow("No matching signature");
		expect(() => receiver.verify(BODY, { ...headers, "webhook-id": "msg_other" })).toThrow(
			"No matching signature",
		);
		const later = { ...headers, "webhook-timestamp": String(now + 1) };
		expect(() => receiver.verify(BODY, later)).toThrow("No matching signature");
	});

	test("with the public key accepts v1a", () => {
		const headers = signatureHeaders({ id, timestampSeconds: now, body: BODY, secrets: [WHSK] });
		const signature = Buffer.from(String(headers["webhook-signature"]).slice("v1a,".length), "base64");
		const x = Buffer.from(WHSK_PUBLIC, "base64").toString("base64url");
		const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
		expect(verify(null, Buffer.from(`${id}.${now}.${BODY}`), key, signature)).toBe(true);
		expect(verify(null, Buffer.from(`${id}.${now}.${BODY} `), key, signature)).toBe(false);
	});
});

/** So many bytes, in base64. */
function bytes(count: number): string {
	return Buffer.alloc(count, 7).toString("base64");
}

describe("a secret", () => {
	test("that is generated holds 32 bytes, is new each time, and is accepted", () => {
		const [one, two] = [generateSigningSecret(), generateSigningSecret()];
		expect(Buffer.from(one.slice("whsec_".length), "base64")).toHaveLength(32);
		expect(one).not.toBe(two);
		expect(refuseSigningSecret(one)).toBeNull();
	});

	test.each([WHSEC, WHSEC_PADDED, WHSK, `whsec_${bytes(24)}`, `whsec_${bytes(64)}`])(
		"%s is accepted",
		(secret) => {
			expect(refuseSigningSecret(secret)).toBeNull();
		},
	);

	test.each([
		["", "must begin with"],
		["correct horse battery staple", "must begin with"],
		[`WHSEC_${bytes(32)}`, "must begin with"],
		[`whpk_${WHSK_PUBLIC}`, "must begin with"],
		["whsec_", "contains 0"],
		[`whsec_${bytes(23)}`, "24 to 64 bytes, but contains 23"],
		[`whsec_${bytes(65)}`, "24 to 64 bytes, but contains 65"],
		[WHSEC_PADDED.replace("=", ""), "must be standard base64"],
		[`${WHSEC_PADDED} `, "must be standard base64"],
		[`whsec_${"-_".repeat(16)}`, "must be standard base64"],
		["whsec_not base64 at all, but long enough", "must be standard base64"],
		[`whsk_${bytes(32)}`, "64 bytes (seed and public key), but contains 32"],
		[`whsk_${bytes(64)}`, "public key that belongs to its seed"],
	])("%j is refused: %s", (secret, reason) => {
		expect(refuseSigningSecret(secret)).toContain(reason);
	});

	test("is live until it expires", () => {
		const secrets = [
			{ value: "new", createdAt: 200, expiresAt: null },
			{ value: "old", createdAt: 100, expiresAt: 1_000 },
			{ value: "older", createdAt: 0, expiresAt: 500 },
		];
		expect(liveSecrets(secrets, 499)).toEqual(["new", "old", "older"]);
		expect(liveSecrets(secrets, 500)).toEqual(["new", "old"]);
		expect(liveSecrets(secrets, 1_000)).toEqual(["new"]);
	});
});
