import { describe, expect, test } from "vitest";
import type { CloudEvent } from "../../../src/events/event.ts";
import { ask, badPaths, must, ORIGIN } from "../../api/client.ts";
import { parseWith, setupAs } from "../bind.ts";
import { makeSource } from "../make-source.ts";

/** As in Cloudflare's documentation of event notifications. */
const COPY = `{"account":"3f4b7e3dcab231cbfdaa90a6a28bd548","action":"CopyObject","bucket":"my-bucket","object":{"key":"my-new-object","size":65536,"eTag":"c846ff7a18f28c2e262116d6e8719ef0"},"eventTime":"2024-05-24T19:36:44.379Z","copySource":{"bucket":"my-bucket","object":"my-original-object"}}`;
const DELETE = `{"account":"3f4b7e3dcab231cbfdaa90a6a28bd548","action":"DeleteObject","bucket":"my-bucket","object":{"key":"my-new-object"},"eventTime":"2024-05-24T19:37:44.379Z"}`;

function parse(body: string | Uint8Array) {
	const source = makeSource({ kind: "r2", settings: { queue: "uploads" } });
	return parseWith("r2", {
		source,
		headers: new Headers(),
		body: Buffer.from(body),
		now: 0,
		freshId: "fresh",
	});
}

async function only(body: string): Promise<CloudEvent | undefined> {
	const parsed = await parse(body);
	return parsed.ok ? parsed.events[0] : undefined;
}

test("a notification becomes an event", async () => {
	expect(await parse(COPY)).toEqual({
		ok: true,
		batch: false,
		events: [
			{
				attributes: {
					id: expect.stringMatching(/^[0-9a-f]{64}$/),
					source: "/r2/3f4b7e3dcab231cbfdaa90a6a28bd548/my-bucket",
					type: "com.cloudflare.r2.CopyObject",
					subject: "my-new-object",
					time: "2024-05-24T19:36:44.379Z",
					datacontenttype: "application/json",
				},
				data: { kind: "json", text: COPY },
			},
		],
	});
});

describe("the id", () => {
	test("is the same for the same, however it is written", async () => {
		const spaced = JSON.stringify(JSON.parse(COPY), null, 2);
		expect((await only(spaced))?.attributes.id).toBe((await only(COPY))?.attributes.id);
	});

	test.each([
		["another object", COPY.replace("my-new-object", "other")],
		["another content", COPY.replace("c846", "c847")],
		["another time", COPY.replace("44.379", "44.380")],
		["another action", COPY.replace("CopyObject", "PutObject")],
		["another bucket", COPY.replace('"bucket":"my-bucket","object":{', '"bucket":"yours","object":{')],
		["its deletion", DELETE],
	])("is another for %s", async (_what, body) => {
		const id = (await only(body))?.attributes.id;
		expect(id).toMatch(/^[0-9a-f]{64}$/);
		expect(id).not.toBe((await only(COPY))?.attributes.id);
	});
});

test("keys are taken as they are, and one that cannot be a subject is left out", async () => {
	expect((await only(COPY.replace("my-new-object", "red+flower 100%.jpg")))?.attributes.subject).toBe(
		"red+flower 100%.jpg",
	);
	expect((await only(COPY.replace("my-new-object", "a\\nb")))?.attributes).not.toHaveProperty("subject");
});

test.each([
	["truncated", COPY.slice(0, -5), "invalid_json"],
	["something else", '{"hello":"world"}', "invalid_r2_notification"],
	["without an object", COPY.replace('"object":{', '"thing":{'), "invalid_r2_notification"],
	["a list", `[${COPY}]`, "invalid_payload"],
	["a member twice", COPY.replace("{", '{"bucket":"x",'), "duplicate_member"],
	["depth without end", `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`, "nested_too_deep"],
	["no UTF-8", Buffer.from([0x7b, 0xc0, 0xa0, 0x7d]), "invalid_json"],
	["empty", "", "invalid_json"],
])("refused: %s", async (_what, body, code) => {
	expect(await parse(body)).toMatchObject({ ok: false, status: 400, code });
});

describe("a source", () => {
	let count = 0;
	const create = (changes: object = {}) =>
		ask("POST", "/v1/sources", {
			name: `r2-${++count}`,
			kind: "r2",
			settings: { queue: "uploads" },
			...changes,
		});

	test("has neither URL nor secret", async () => {
		const { status, body } = await create();
		expect(status).toBe(201);
		expect(body).toMatchObject({ ingest_url: null, secret: null, auth: { type: "none" } });
		expect(await ask("POST", `/in/${body.name}`, JSON.parse(COPY))).toMatchObject({
			status: 405,
			body: { code: "source_not_posted" },
		});
		const { answer } = await must<{ answer: unknown }>("POST", `/v1/sources/${body.name}/test`);
		expect(answer).toEqual({ status: 202, body: { ids: [expect.stringMatching(/^evt_/)] } });
	});

	test.each([
		["no queue", { settings: {} }, ["settings.queue"]],
		["a name that is none", { settings: { queue: "My Queue" } }, ["settings.queue"]],
		["the router's own queue", { settings: { queue: "sluice-events" } }, ["settings.queue"]],
		["a proof", { auth: { type: "bearer" } }, ["auth.type"]],
	])("is refused with %s", async (_what, changes, paths) => {
		const answer = await create(changes);
		expect(answer.status).toBe(422);
		expect(badPaths(answer)).toEqual(paths);
	});
});

test("set-up names the queue everywhere, and gives the block for wrangler.toml", () => {
	const source = makeSource({ kind: "r2", settings: { queue: "uploads" } });
	const [variant] = setupAs("r2", { source, url: `${ORIGIN}/in/s`, secret: "" }).variants;
	expect(variant?.steps.map(({ language }) => language)).toEqual(["shell", "toml", "shell"]);
	expect(variant?.steps[1]?.code).toMatch(/^\[\[queues\.consumers\]\]\nqueue = "uploads"\n/);
	expect(variant?.steps[2]?.code).toContain("notification create '<BUCKET>' --queue 'uploads'");
	expect(variant?.remove?.code).toContain("notification delete '<BUCKET>' --queue 'uploads'");
});
