import { generateKeyPairSync, sign } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";
import { describe, expect, test } from "vitest";
import { refusePublicKey } from "../../../src/crypto/verify-standard-webhooks.ts";
import { verify } from "../../../src/sources/proof/verify.ts";
import { captureQueue } from "../capture.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { FRESH_ID, parseAs, parseOne, RECEIVED_AT } from "../parse.ts";
import { setupAs } from "../bind.ts";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PUBLIC_KEY = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
const BODY =
	'{"type": "user.created", "timestamp": "2022-11-03T20:26:10.344522Z", "data": {"id": 9007199254740993}}';
const utf8 = new TextEncoder();

const MESSAGE = { "webhook-id": "msg_1", "webhook-timestamp": "1614265330", "webhook-signature": "v1,x" };

test("an event by the advice of the specification", async () => {
	expect(await parseAs("standard-webhooks", { headers: MESSAGE, body: BODY })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: "msg_1",
					source: "/webhook/publisher-1",
					type: "user.created",
					time: "2022-11-03T20:26:10.344522Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: BODY },
			},
		],
		batch: false,
	});
});

test("a body that says nothing of itself is dated by its header, named by its source", async () => {
	const { attributes } = await parseOne("standard-webhooks", { headers: MESSAGE, body: "{}" });
	expect(attributes).toMatchObject({ id: "msg_1", type: "publisher-1", time: "2021-02-25T15:02:10.000Z" });
	const bare = await parseOne("standard-webhooks", { body: "{}" });
	expect(bare.attributes).toMatchObject({ id: FRESH_ID, time: RECEIVED_AT });
});

test.each(["webhook", "svix"])(
	"the %s- id and time are kept where a proxy has taken the signature",
	async (family) => {
		const headers = { [`${family}-id`]: "msg_1", [`${family}-timestamp`]: "1614265330" };
		const source = { auth: { type: "url_token" } } as const;
		const { attributes } = await parseOne("standard-webhooks", { headers, body: "{}", source });
		expect(attributes).toMatchObject({ id: "msg_1", time: "2021-02-25T15:02:10.000Z" });
	},
);

test.each([
	["/data/id", "9007199254740993"],
	["/type", "user.created"],
	["/data", undefined],
	["/data/missing/id", undefined],
	["/data/toString", undefined],
	["/a~1b~0c", "slashed"],
])("settings.subject %s", async (subject, expected) => {
	const body = BODY.replace("{", '{"a/b~c": "slashed", ');
	const event = await parseOne("standard-webhooks", {
		headers: MESSAGE,
		body,
		source: { settings: { subject } },
	});
	expect(event.attributes.subject).toBe(expected);
});

/** Whether a source with this secret takes the request. */
async function accepts(
	secret: string,
	headers: Record<string, string>,
	body: string,
	now: number,
): Promise<boolean> {
	const verified = await verify(sourceOf("standard-webhooks", secret), {
		headers: new Headers(headers),
		url: "https://sluice.example/in/x",
		body: utf8.encode(body),
		now,
	});
	return verified.ok;
}

test.each([
	["standardwebhooks", "webhook", new Webhook(SECRET)],
	["svix", "svix", new SvixWebhook(SECRET)],
])("what the package %s signs holds, with %s- headers", async (_package, family, webhook) => {
	const now = Date.now();
	const headers = {
		[`${family}-id`]: "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
		[`${family}-timestamp`]: String(Math.floor(now / 1000)),
		[`${family}-signature`]: webhook.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", new Date(now), BODY),
	};
	expect(await accepts(SECRET, headers, BODY, now)).toBe(true);
	expect(await accepts(SECRET, headers, `${BODY} `, now)).toBe(false);
	const { attributes } = await parseOne("standard-webhooks", { headers, body: BODY });
	expect(attributes.id).toBe("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
});

describe("v1a: signed with a private key, verified with the public one", () => {
	// Known answer of the Standard Webhooks reference implementations.
	const body = '{"test": 2432232314}';
	const now = 1_614_265_330_000;
	const signature =
		"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
	const headers = {
		"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
		"webhook-timestamp": "1614265330",
		"webhook-signature": signature,
	};

	test.each([
		["the published signature", {}, true],
		["one good signature of several", { "webhook-signature": `v1,x v1a,AAAA ${signature}` }, true],
		["as v1", { "webhook-signature": signature.replace("v1a", "v1") }, false],
		["cut", { "webhook-signature": signature.slice(0, -4) }, false],
		["empty", { "webhook-signature": "v1a," }, false],
		["another id", { "webhook-id": "msg_x" }, false],
		["another time", { "webhook-timestamp": "1614265331" }, false],
	])("%s", async (_what, changes, expected) => {
		expect(await accepts(PUBLIC_KEY, { ...headers, ...changes }, body, now)).toBe(expected);
	});

	test("another body, another key, and a stale one", async () => {
		const other = `whpk_${Buffer.alloc(32, 7).toString("base64")}`;
		expect(await accepts(PUBLIC_KEY, headers, `${body} `, now)).toBe(false);
		expect(await accepts(other, headers, body, now)).toBe(false);
		expect(await accepts(PUBLIC_KEY, headers, body, now + 301_000)).toBe(false);
	});

	test("a public key proves no v1: everybody could sign with it", async () => {
		const asSecret = new Webhook(PUBLIC_KEY.slice("whpk_".length));
		const forged = asSecret.sign("msg_1", new Date(now), body);
		const sent = { ...headers, "webhook-id": "msg_1", "webhook-signature": forged };
		expect(await accepts(PUBLIC_KEY, sent, body, now)).toBe(false);
	});

	test("a key made here", async () => {
		const { privateKey, publicKey } = generateKeyPairSync("ed25519");
		const raw = Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("base64");
		const signed = sign(null, utf8.encode(`msg_1.1614265330.${body}`), privateKey).toString("base64");
		const sent = { ...headers, "webhook-id": "msg_1", "webhook-signature": `v1a,${signed}` };
		expect(await accepts(`whpk_${raw}`, sent, body, now)).toBe(true);
	});

	test.each([
		[PUBLIC_KEY, null],
		["whpk_", /32 bytes, but contains 0/],
		["whpk_AAAA", /contains 3/],
		[PUBLIC_KEY.slice(0, -1), /base64/],
		[`${PUBLIC_KEY}!`, /base64/],
	])("%s as a key", (key, refusal) => {
		if (refusal === null) expect(refusePublicKey(key)).toBeNull();
		else expect(refusePublicKey(key)).toMatch(refusal);
	});
});

test("a message that is sent again creates nothing new", async () => {
	const queue = captureQueue();
	const source = sourceOf("standard-webhooks", SECRET);
	const webhook = new Webhook(SECRET);
	for (const sentAt of [Date.now() - 60_000, Date.now()]) {
		const headers = {
			"webhook-id": "msg_1",
			"webhook-timestamp": String(Math.floor(sentAt / 1000)),
			"webhook-signature": webhook.sign("msg_1", new Date(sentAt), BODY),
		};
		expect((await post(source, queue, { body: BODY, headers })).status).toBe(202);
	}
	const [first, second] = await queue.events();
	expect(second?.id).toBe(first?.id);
});

describeBadInput("standard-webhooks", { isTimed: true, secret: SECRET });

test.each([
	[SECRET, ["console", "curl"]],
	// With the public key alone nobody can sign, so there is nothing to try by hand.
	[PUBLIC_KEY, ["console"]],
])("set up with %s by: %s", (secret, names) => {
	const source = sourceOf("standard-webhooks", secret);
	const setup = setupAs("standard-webhooks", {
		source,
		url: "https://s/in/x",
		secret: "<SECRET>",
	});
	expect(setup?.variants.map(({ name }) => name)).toEqual(names);
});
