/** What is refused leaves the version of the routing table as it is, so that no router reads the table anew for it. */
import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { ask, must } from "../api/client.ts";

async function readVersion(): Promise<number | undefined> {
	const row = await env.DB.prepare("SELECT value FROM meta WHERE key = 'routing_version'").first<{
		value: number;
	}>();
	return row?.value;
}

let used = 0;
let name = "";
beforeEach(async () => {
	name = `used-${(used += 1)}`;
	await must("POST", "/v1/sources", { name });
	await must("POST", "/v1/endpoints", { name, url: "https://models.example.com/", status: "paused" });
	await must("POST", "/v1/subscriptions", { name, source: name, endpoint: name });
});

test.each([
	["the deletion of an endpoint in use", 409, "DELETE", "/v1/endpoints/", undefined],
	["the deletion of a source in use", 409, "DELETE", "/v1/sources/", undefined],
	["a name that is taken", 409, "POST", "/v1/sources", {}],
])("%s", async (_, status, method, path, body) => {
	const before = await readVersion();
	const refused = await ask(method, path + (body === undefined ? name : ""), body && { name, ...body });
	expect([refused.status, await readVersion()]).toEqual([status, before]);
});

test.each([
	["the deletion of a subscription", "DELETE", "/v1/subscriptions/", undefined],
	["a change", "PATCH", "/v1/sources/", { description: "other" }],
])("%s is a new version", async (_, method, path, body) => {
	const before = await readVersion();
	expect((await ask(method, path + name, body)).status).toBeLessThan(300);
	expect(await readVersion()).toBeGreaterThan(before ?? 0);
});
