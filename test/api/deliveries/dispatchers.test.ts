import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { app } from "../../../src/app.ts";
import type { SettingsChange } from "../../../src/delivery/records.ts";
import { ORIGIN, must } from "../client.ts";

const url = "https://models.example.com/";

/** Makes one change, and returns the endpoints whose dispatchers were told to read their settings anew. */
async function refreshedBy(method: string, path: string, body: object = {}): Promise<string[]> {
	return (await toldBy(method, path, body)).map(({ id }) => id).sort();
}

/** Makes one change, and returns what dispatchers were told. */
async function toldBy(
	method: string,
	path: string,
	body: object = {},
): Promise<{ id: string; change: SettingsChange | undefined }[]> {
	const told: { id: string; change: SettingsChange | undefined }[] = [];
	const ids = new Map<unknown, string>();
	const DISPATCHER = {
		idFromName(name: string) {
			const id = env.DISPATCHER.idFromName(name);
			ids.set(id, name);
			return id;
		},
		get: (id: unknown) => {
			const tell = async (change?: SettingsChange) => void told.push({ id: ids.get(id) ?? "", change });
			return { refresh: tell, markDeleted: tell };
		},
	} as unknown as typeof env.DISPATCHER;
	const request = new Request(ORIGIN + path, {
		method,
		headers: { authorization: "Bearer test-token", "content-type": "application/json" },
		body: JSON.stringify(body),
	});
	const response = await app.fetch(request, { ...env, DISPATCHER }, createExecutionContext());
	expect(response.status).toBeLessThan(300);
	return told;
}

test("a dispatcher is notified of every change of its endpoint", async () => {
	const { id } = await must("POST", "/v1/endpoints", { name: "told", url });
	expect(await refreshedBy("PATCH", "/v1/endpoints/told", { timeout_seconds: 5 })).toEqual([id]);
	expect(await refreshedBy("POST", "/v1/endpoints/told/pause")).toEqual([id]);
	expect(await refreshedBy("POST", "/v1/endpoints/told/resume")).toEqual([id]);
	expect(await refreshedBy("POST", "/v1/endpoints/told/secret/rotate")).toEqual([id]);
	expect(await refreshedBy("DELETE", "/v1/endpoints/told")).toEqual([id]);
});

let made = 0;

test.each([
	["PATCH", "", { url: "https://other.example.com/" }, true],
	["PATCH", "", { auth: { type: "bearer", token: "new" } }, true],
	["PATCH", "", { headers: { "x-a": "b" } }, true],
	["PATCH", "", { protocol: "cloudevents" }, true],
	["POST", "/secret/rotate", {}, true],
	["POST", "/resume", {}, true],
	["POST", "/pause", {}, false],
	["PATCH", "", { timeout_seconds: 5, max_concurrency: 2, retry: { cold_start_seconds: 5 } }, false],
])("says whether %s %s %j may have repaired the endpoint: %s", async (method, action, body, repaired) => {
	const { id } = await must("POST", "/v1/endpoints", { name: `mended-${++made}`, url });
	expect(await toldBy(method, `/v1/endpoints/${id}${action}`, body)).toEqual([{ id, change: { repaired } }]);
});

test("a change of a subscription notifies the dispatchers of its old and new target", async () => {
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
	expect(await refreshedBy("POST", `${path}/pause`)).toEqual([older, newer].sort());
	expect(await refreshedBy("DELETE", path)).toEqual([older, newer].sort());
});

test("a dispatcher of release 0.1, which has no deletion call, is notified of a change", async () => {
	await must("POST", "/v1/endpoints", { name: "older", url });
	let refreshed = 0;
	const stub = {
		refresh: async () => void refreshed++,
		markDeleted: () => Promise.reject(new TypeError("no such method")),
	};
	const DISPATCHER = { idFromName: () => null, get: () => stub } as unknown as typeof env.DISPATCHER;
	const request = new Request(`${ORIGIN}/v1/endpoints/older`, {
		method: "DELETE",
		headers: { authorization: "Bearer test-token" },
	});
	const response = await app.fetch(request, { ...env, DISPATCHER }, createExecutionContext());
	expect(response.status).toBe(204);
	expect(refreshed).toBe(1);
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
	const response = await app.fetch(request, { ...env, DISPATCHER }, createExecutionContext());
	expect(await response.json()).toMatchObject({ status: "paused" });
});
