import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { app } from "../../../src/app.ts";
import { readCachedSource } from "../../../src/store/views/source-cache.ts";
import { ORIGIN, must } from "../client.ts";

test("ingest's copy follows every change", async () => {
	const { id } = await must("POST", "/v1/sources", { name: "copied", secret: "first-secret" });
	expect((await readCachedSource(env, "copied"))?.source).toMatchObject({
		id,
		secrets: [{ value: "first-secret" }],
	});
	await must("PATCH", "/v1/sources/copied", { event_type: "t", name: "renamed" });
	expect(await readCachedSource(env, "copied")).toBeNull();
	await must("POST", "/v1/sources/renamed/secret/rotate", { secret: "second-secret" });
	expect((await readCachedSource(env, "renamed"))?.source).toMatchObject({
		id,
		eventType: "t",
		secrets: [{ value: "second-secret" }, {}],
	});
	await must("DELETE", "/v1/sources/renamed");
	expect(await readCachedSource(env, "renamed")).toBeNull();
	expect(await readCachedSource(env, id)).toBeNull();
});

test("KV refusing a write fails no request; the copy is written a little later, as D1 has the source then", async () => {
	let refusals = 0;
	const SOURCES = new Proxy(env.SOURCES, {
		get(target, name) {
			const member: unknown = Reflect.get(target, name);
			if (name === "put" && refusals < 1) {
				return () => {
					refusals++;
					return Promise.reject(new Error("KV PUT failed: 429 Too Many Requests"));
				};
			}
			return typeof member === "function" ? (member.bind(target) as unknown) : member;
		},
	});
	const context = createExecutionContext();
	const request = new Request(`${ORIGIN}/v1/sources`, {
		method: "POST",
		headers: { authorization: "Bearer test-token", "content-type": "application/json" },
		body: JSON.stringify({ name: "unlucky" }),
	});
	const response = await app.fetch(request, { ...env, SOURCES }, context);
	expect(response.status).toBe(201);
	expect(refusals).toBe(1);
	await must("PATCH", "/v1/sources/unlucky", { description: "changed meanwhile" });
	await waitOnExecutionContext(context);
	expect((await readCachedSource(env, "unlucky"))?.source).toMatchObject({
		description: "changed meanwhile",
	});
});
