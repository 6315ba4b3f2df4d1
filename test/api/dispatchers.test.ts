import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { api } from "../../src/api/app.ts";
import { ORIGIN, must } from "./client.ts";

const url = "https://models.example.com/";

/** Makes one change, and answers the endpoints whose dispatchers were told to read their settings anew. */
async function refreshedBy(method: string, path: string, body: object = {}): Promise<string[]> {
	const refreshed: string[] = [];
	const ids = new Map<unknown, string>();
	const DISPATCHER = {
		idFromName(name: string) {
			const id = env.DISPATCHER.idFromName(name);
			ids.set(id, name);
			return id;
		},
		get: (id: unknown) => ({ refresh: async () => void refreshed.push(ids.get(id) ?? "") }),
	} as unknown as typeof env.DISPATCHER;
	const request = new Request(ORIGIN + path, {
		method,
		headers: { authorization: "Bearer test-token", "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	const response = await api.fetch(request, { ...env, DISPATCHER }, createExecutionContext());
	expect(response.status).toBeLessThan(300);
	return refreshed.sort();
}

test("every change of an endpoint is told to its dispatcher", async () => {
	const { id } = await must("POST", "/v1/endpoints", { name: "told", url });
	expect(await refreshedBy("PATCH", "/v1/endpoints/told", { timeout_seconds: 5 })).toEqual([id]);
	expect(await refreshedBy("POST", "/v1/endpoints/told/pause")).toEqual([id]);
	expect(await refreshedBy("POST", "/v1/endpoints/told/resume")).toEqual([id]);
	expect(await refreshedBy("POST", "/v1/endpoints/told/secret/rotate")).toEqual([id]);
	expect(await refreshedBy("DELETE", "/v1/endpoints/told")).toEqual([id]);
});

test("a change of a subscription is told to the dispatchers of its old and new target", async () => {
	const { id: first } = await must("POST", "/v1/endpoints", { name: "first", url });
	const { id: older } = await must("POST", "/v1/endpoints", { name: "second", url });
	const { id: newer } = await must("POST", "/v1/endpoints", { name: "second", version: "2", url });
	await must("POST", "/v1/endpoints", { name: "third", url });
	const path = "/v1/subscriptions/moving";
	expect(await refreshedBy("POST", "/v1/subscriptions", { name: "moving", endpoint: "first@1" })).toEqual([
		first,
	]);
	const all = [first, older, newer].sort();
	expect(await refreshedBy("PATCH", path, { endpoint: "second@latest" })).toEqual(all);
	expect(await refreshedBy("PATCH", path, { enabled: false })).toEqual([older, newer].sort());
	expect(await refreshedBy("DELETE", path)).toEqual([older, newer].sort());
});

test("a dispatcher that cannot be reached fails no request", async () => {
	await must("POST", "/v1/endpoints", { name: "deaf", url });
	const DISPATCHER = {
		idFromName: () => null,
		get: () => ({ refresh: () => Promise.reject(new Error("unreachable")) }),
	} as unknown as typeof env.DISPATCHER;
	const request = new Request(`${ORIGIN}/v1/endpoints/deaf/pause`, {
		method: "POST",
		headers: { authorization: "Bearer test-token" },
	});
	const response = await api.fetch(request, { ...env, DISPATCHER }, createExecutionContext());
	expect(await response.json()).toMatchObject({ status: "paused" });
});
