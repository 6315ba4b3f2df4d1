import { Hono } from "hono";
import { expect, test, vi } from "vitest";
import { respondWhenRouted } from "../../../src/api/http/routed.ts";

/** How long a request waits behind its work, ms: what it asked of the timer. */
async function waited(method: string, path: string, status = 200, maxAge = "250"): Promise<number> {
	const waits: number[] = [];
	vi.spyOn(globalThis, "setTimeout").mockImplementation(((done: () => void, ms: number) => {
		waits.push(ms);
		done();
	}) as unknown as typeof setTimeout);
	const app = new Hono();
	app.use("*", respondWhenRouted);
	app.all("*", (c) => c.json({}, status as 200));
	await app.request(path, { method }, { ROUTING_MAX_AGE_MS: maxAge });
	vi.restoreAllMocks();
	return waits.reduce((sum, ms) => sum + ms, 0);
}

test("the response to a change waits until every router applies it", async () => {
	for (const method of ["POST", "PUT", "PATCH", "DELETE"]) {
		expect(await waited(method, "/v1/subscriptions/x")).toBe(250);
	}
});

test("reading, a refusal and a sample do not wait, nor does anything where readings are not kept", async () => {
	expect(await waited("GET", "/v1/subscriptions")).toBe(0);
	expect(await waited("POST", "/v1/subscriptions", 422)).toBe(0);
	expect(await waited("POST", "/v1/sources/x/test")).toBe(0);
	expect(await waited("POST", "/v1/subscriptions/preview")).toBe(0);
	expect(await waited("POST", "/v1/subscriptions", 200, "0")).toBe(0);
});

test("a change of what is called like a sample or a preview waits as any other does", async () => {
	for (const path of ["/v1/sources/test", "/v1/subscriptions/preview"]) {
		expect(await waited("PATCH", path)).toBe(250);
		expect(await waited("DELETE", path)).toBe(250);
	}
});
