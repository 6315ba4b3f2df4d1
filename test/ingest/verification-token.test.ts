/** A first request that brings the secret, and those who would like to bring another. */
import { env } from "cloudflare:workers";
import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { createHmac } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { receive } from "../../src/ingest/receive.ts";
import { readVerificationToken } from "../../src/ingest/verification-token.ts";
import type { Resource } from "../api/client.ts";
import { ask, must } from "../api/client.ts";
import { captureQueue } from "../sources/capture.ts";

const AUTH = { type: "hmac", header: "X-Notion-Signature", prefix: "sha256=", verification_token: true };
const TOKEN = "secret_of-notion";
const HOUR_MS = 3_600_000;

function create(fields: object = {}): Promise<Resource> {
	return must("POST", "/v1/sources", {
		name: `notion-${crypto.randomUUID().slice(0, 8)}`,
		auth: AUTH,
		secret: "secret-1",
		...fields,
	});
}

async function post(source: Resource, body: string, signedWith?: string): Promise<number> {
	const ctx = createExecutionContext();
	const headers = new Headers({ "content-type": "application/json" });
	if (signedWith !== undefined) {
		const digest = createHmac("sha256", signedWith).update(body).digest("hex");
		headers.set("x-notion-signature", `sha256=${digest}`);
	}
	const request = new Request(`https://sluice.example/in/${source.name}`, { method: "POST", headers, body });
	const queue = captureQueue();
	const response = await receive(request, queue.env, ctx, source.name);
	await waitOnExecutionContext(ctx);
	if (response.status === 200) expect(await queue.events()).toEqual([]);
	return response.status;
}

function introduce(source: Resource, token = TOKEN): Promise<number> {
	return post(source, JSON.stringify({ verification_token: token }));
}

function token(value: unknown): string {
	return JSON.stringify({ verification_token: value });
}

async function shown(source: Resource): Promise<unknown> {
	return (await must("GET", `/v1/sources/${source.id}`))["verification_token"];
}

async function rowOf(source: Resource): Promise<Record<string, unknown> | null> {
	return env.DB.prepare("SELECT * FROM sources WHERE id = ?").bind(source.id).first();
}

async function ownHosts(): Promise<unknown[]> {
	return (await env.DB.prepare("SELECT host FROM own_hosts ORDER BY host").all()).results;
}

test("the response is 200, no event is created, and the token is shown once", async () => {
	const source = await create();
	expect(await shown(source)).toBeNull();
	expect(await introduce(source)).toBe(200);
	expect(JSON.stringify(await rowOf(source))).not.toContain(TOKEN);
	const list = await ask("GET", "/v1/sources");
	expect(list.text).not.toContain(TOKEN);
	expect(await shown(source)).toBe(TOKEN);
	expect(await shown(source)).toBeNull();
	expect((await rowOf(source))?.["verification_token"]).toBeNull();
});

test("of two that come the first counts, until it is read", async () => {
	const source = await create();
	expect(await introduce(source)).toBe(200);
	expect(await introduce(source, "secret_of-mallory")).toBe(401);
	expect(await shown(source)).toBe(TOKEN);
});

test("a HEAD shows nothing, and takes nothing", async () => {
	const source = await create();
	await introduce(source);
	expect((await ask("HEAD", `/v1/sources/${source.id}`)).status).toBe(200);
	expect(await shown(source)).toBe(TOKEN);
});

test("of two readers one gets it", async () => {
	const source = await create();
	await introduce(source);
	const read = await Promise.all([shown(source), shown(source)]);
	expect(new Set(read)).toEqual(new Set([null, TOKEN]));
});

test("it is kept for an hour, and then another counts", async () => {
	const source = await create();
	expect(await introduce(source, "secret_of-mallory")).toBe(200);
	const later = Date.now() + HOUR_MS + 1;
	const clock = vi.spyOn(Date, "now").mockReturnValue(later);
	try {
		expect(await introduce(source)).toBe(200);
		expect(await shown(source)).toBe(TOKEN);
		await must("PATCH", `/v1/sources/${source.id}`, { auth: AUTH });
		await introduce(source);
		clock.mockReturnValue(later + HOUR_MS + 1);
		expect(await shown(source)).toBeNull();
	} finally {
		clock.mockRestore();
	}
});

test("no token is accepted once the source has verified a request, and nothing is written", async () => {
	const source = await create();
	await introduce(source, "secret_of-mallory");
	expect(await post(source, '{"type":"page.created"}', "secret-1")).toBe(202);
	expect(await shown(source)).toBeNull();
	const before = await rowOf(source);
	expect(await introduce(source)).toBe(401);
	expect(await rowOf(source)).toEqual(before);
	expect(await shown(source)).toBeNull();
});

test("a sample of the router's own says nothing of the publisher", async () => {
	const source = await create();
	expect(await must("POST", `/v1/sources/${source.id}/test`)).toMatchObject({ answer: { status: 202 } });
	expect(await introduce(source)).toBe(200);
});

test("a signed one is an event like any other", async () => {
	const source = await create();
	expect(await post(source, JSON.stringify({ verification_token: TOKEN }), "secret-1")).toBe(202);
	expect(await shown(source)).toBeNull();
});

test("auth that is set again waits for another token", async () => {
	const source = await create();
	await post(source, '{"type":"page.created"}', "secret-1");
	await must("PATCH", `/v1/sources/${source.id}`, { description: "as it was" });
	expect(await introduce(source)).toBe(401);
	await must("PATCH", `/v1/sources/${source.id}`, { auth: AUTH });
	expect(await introduce(source)).toBe(200);
	expect(await shown(source)).toBe(TOKEN);
});

test("a source that does not ask for one takes none", async () => {
	const source = await create({ auth: { ...AUTH, verification_token: false } });
	const before = await rowOf(source);
	expect(await introduce(source)).toBe(401);
	expect(await rowOf(source)).toEqual(before);
	expect(await must("GET", `/v1/sources/${source.id}`)).not.toHaveProperty("verification_token");
});

test("nothing but the row is written for it: no name of the router is learnt from it", async () => {
	const source = await create();
	const before = await ownHosts();
	const ctx = createExecutionContext();
	const request = new Request(`https://${crypto.randomUUID()}.example/in/${source.name}`, {
		method: "POST",
		headers: { "content-type": "application/json" },
		body: token(TOKEN),
	});
	expect((await receive(request, captureQueue().env, ctx, source.name)).status).toBe(200);
	await waitOnExecutionContext(ctx);
	expect(await ownHosts()).toEqual(before);
});

describe("which requests count as a first request", () => {
	test.each([
		["the token alone", token(TOKEN), TOKEN],
		["the longest", token("x".repeat(512)), "x".repeat(512)],
		["too long", token("x".repeat(513)), null],
		["too short", token("x".repeat(7)), null],
		["spaces in it", token("secret of notion"), null],
		["no text", token(12_345_678), null],
		["something beside it", JSON.stringify({ verification_token: TOKEN, type: "page.created" }), null],
		["another name", JSON.stringify({ token: TOKEN }), null],
		["a list", `["${TOKEN}"]`, null],
		["null", "null", null],
		["nothing", "{}", null],
		["no JSON", "verification_token=secret", null],
		["no body", "", null],
		["too much white space", `${token(TOKEN)}${" ".repeat(2_048)}`, null],
	])("%s", (_what, body, expected) => {
		expect(readVerificationToken(Buffer.from(body))).toBe(expected);
	});

	test("nothing else is written for", async () => {
		const source = await create();
		const before = await rowOf(source);
		expect(await post(source, '{"type":"page.created"}')).toBe(401);
		expect(await post(source, JSON.stringify({ verification_token: TOKEN, more: 1 }))).toBe(401);
		expect(await rowOf(source)).toEqual(before);
	});
});
