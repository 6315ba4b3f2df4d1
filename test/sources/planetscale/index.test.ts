import { expect, test } from "vitest";
import { verify } from "../../../src/sources/proof/verify.ts";
import type { SourceAuth } from "../../../src/store/records.ts";
import { captureQueue } from "../capture.ts";
import { makeSource } from "../make-source.ts";
import { describeBadInput, post, sourceOf } from "../bad-input.ts";
import { parseAs, parseOne, RECEIVED_AT } from "../parse.ts";
import { setupAs } from "../bind.ts";

/** The layout of PlanetScale's example of `branch.ready`. */
const READY = `{
  "timestamp": 1698252879,
  "event": "branch.ready",
  "organization": "myorg",
  "database": "example_database",
  "resource": { "id": "ecrmjy2f4a5o", "type": "Branch", "name": "dev", "ready": true, "shard_count": 0 }
}`;

test("an event, with its text as it came", async () => {
	expect(await parseAs("planetscale", { body: READY })).toEqual({
		ok: true,
		events: [
			{
				attributes: {
					id: expect.stringMatching(/^[0-9a-f]{64}$/),
					source: "/planetscale/myorg/example_database",
					type: "com.planetscale.branch.ready",
					subject: "ecrmjy2f4a5o",
					time: "2023-10-25T16:54:39.000Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: READY },
			},
		],
		batch: false,
	});
});

/** `printf %s "$body" | openssl dgst -sha256 -hmac test-webhook-secret` */
test("the signature is the hex HMAC-SHA256 of the body", async () => {
	const source = sourceOf("planetscale", "test-webhook-secret");
	const body = new TextEncoder().encode('{"event":"webhook.test"}');
	const url = "https://sluice.example/in/s";
	const check = async (signature: string) => {
		const headers = new Headers({ "x-planetscale-signature": signature });
		return (await verify(source, { headers, url, body, now: 0 })).ok;
	};
	expect(await check("26cc077a5644a9fa88c22ef4c6507398ba2376293dea63c4aa9287c646d97818")).toBe(true);
	expect(await check("0".repeat(64))).toBe(false);
});

test("missing members have substitutes", async () => {
	const body = '{"event":"database.access_request","timestamp":-1}';
	const { attributes } = await parseOne("planetscale", { body });
	expect(attributes).toMatchObject({ source: "/planetscale/publisher-1", time: RECEIVED_AT });
	expect(attributes).not.toHaveProperty("subject");
	expect(attributes.id).toMatch(/^[0-9a-f]{64}$/);
});

const idOf = async (from = "", to = "") =>
	(await parseOne("planetscale", { body: READY.replace(from, to) })).attributes.id;

test("the same event of the same thing at the same second is one", async () => {
	expect(await idOf('"ready": true', '"ready": false')).toBe(await idOf());
	const others = [await idOf("1698252879", "1698252880"), await idOf("branch.ready", "branch.sleeping")];
	expect(new Set([await idOf(), ...others, await idOf("ecrmjy2f4a5o", "bffzv8jfk9gc")]).size).toBe(4);
});

test("a test message gets a response, and nothing is stored", async () => {
	const queue = captureQueue();
	const body = READY.replace("branch.ready", "webhook.test");
	const response = await post(sourceOf("planetscale"), queue, { body });
	expect(response.status).toBe(200);
	expect(queue.messages).toEqual([]);
});

test.each([
	["no event", READY.replace('"event"', '"other"')],
	["an event that is no name", READY.replace('"branch.ready"', "{}")],
])("refused: %s", async (_what, body) => {
	const refusal = { ok: false, status: 400, code: "invalid_payload", path: "event" };
	expect(await parseAs("planetscale", { body })).toMatchObject(refusal);
});

test("set-up: PlanetScale generates the secret, which is then set at the source", () => {
	const source = sourceOf("planetscale");
	const url = "https://x.example/in/ps";
	const setup = setupAs("planetscale", { source, url, secret: "<SECRET>" });
	for (const { steps } of setup?.variants ?? []) {
		expect(steps[0]?.code).toContain(url);
		expect(steps[1]?.code).toContain(`curl -X PATCH 'https://x.example/v1/sources/${source.name}'`);
		expect(steps[1]?.code).toContain("<SECRET>");
	}
	expect(setup?.variants).toHaveLength(2);
});

const setupFor = (auth: SourceAuth) =>
	setupAs("planetscale", {
		source: makeSource({ name: "ps", auth }),
		url: "https://x.example/in/ps",
		secret: "<SECRET>",
	}).variants ?? [];

test("set-up: with a token in the URL there is no other secret to take", () => {
	for (const { steps } of setupFor({ type: "url_token" })) {
		expect(steps.map(({ code }) => code).join("\n")).not.toContain("/v1/sources/");
	}
});

test("set-up: what PlanetScale cannot send is changed first", () => {
	const [variant, ...others] = setupFor({ type: "bearer" });
	expect(others).toEqual([]);
	expect(variant?.steps[0]?.code).toContain('"header":"X-PlanetScale-Signature"');
});

describeBadInput("planetscale", { isTimed: false });
