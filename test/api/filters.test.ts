/** Lists of sources, endpoints and subscriptions, narrowed by their queries. */
import { env } from "cloudflare:workers";
import { beforeAll, expect, test } from "vitest";
import { askWith, makeKey } from "./access/keys.ts";
import { type Page, ask, badPaths, must } from "./client.ts";

const URL = "https://models.example.com/";

beforeAll(async () => {
	await must("POST", "/v1/sources", { name: "docs-a" });
	await must("POST", "/v1/sources", { name: "docs-b", kind: "cloudevents", status: "paused" });
	await must("POST", "/v1/sources", { name: "orders" });
	await must("POST", "/v1/endpoints", { name: "ocr", version: "1", url: URL });
	await must("POST", "/v1/endpoints", { name: "ocr", version: "2", url: URL, status: "paused" });
	await must("POST", "/v1/endpoints", { name: "ner", url: URL, protocol: "cloudevents" });
	await must("POST", "/v1/subscriptions", { name: "s-1", source: "docs-a", endpoint: "ocr@1" });
	await must("POST", "/v1/subscriptions", { name: "s-2", source: "docs-b", endpoint: "ocr@latest" });
	await must("POST", "/v1/subscriptions", {
		name: "t-3",
		source: "api",
		endpoint: "ner@1",
		status: "paused",
	});
	await must("POST", "/v1/subscriptions", { name: "t-4", endpoint: "ocr@2" });
});

async function namesAt(path: string): Promise<string[]> {
	const { data } = await must<Page>("GET", path);
	return data.map(({ name, version }) => (typeof version === "string" ? `${name}@${version}` : name)).sort();
}

test.each([
	["sources?name=docs-a", ["docs-a"]],
	["sources?name=docs-*", ["docs-a", "docs-b"]],
	["sources?name=*", ["docs-a", "docs-b", "orders"]],
	["sources?kind=cloudevents", ["docs-b"]],
	["sources?status=paused", ["docs-b"]],
	["sources?status=active&name=docs*", ["docs-a"]],
	["sources?name=nobody", []],
	["endpoints?name=ocr", ["ocr@1", "ocr@2"]],
	["endpoints?name=o*&status=paused", ["ocr@2"]],
	["endpoints?protocol=cloudevents", ["ner@1"]],
	["subscriptions?name=s-*", ["s-1", "s-2"]],
	["subscriptions?source=docs-a", ["s-1"]],
	["subscriptions?source=docs-*", ["s-1", "s-2"]],
	["subscriptions?source=api", ["t-3"]],
	["subscriptions?source=src_api", ["t-3"]],
	["subscriptions?endpoint=ocr@1", ["s-1"]],
	["subscriptions?endpoint=ocr@latest", ["s-2"]],
	["subscriptions?endpoint=ocr", ["s-1", "s-2", "t-4"]],
	["subscriptions?endpoint=n*", ["t-3"]],
	["subscriptions?status=paused", ["t-3"]],
	["subscriptions?status=requested", []],
	["subscriptions?endpoint=ocr&source=docs-b", ["s-2"]],
])("%s", async (path, names) => {
	expect(await namesAt(`/v1/${path}`)).toEqual(names);
});

test("by id", async () => {
	const { id } = await must("GET", "/v1/sources/docs-a");
	expect(await namesAt(`/v1/subscriptions?source=${id}`)).toEqual(["s-1"]);
	const endpoint = await must("GET", "/v1/endpoints/ocr@2");
	expect(await namesAt(`/v1/subscriptions?endpoint=${endpoint.id}`)).toEqual(["t-4"]);
});

test.each([
	"sources?name=a[b",
	"sources?kind=what",
	"endpoints?status=quarantined",
	"subscriptions?endpoint=a*b",
])("%s is refused", async (path) => {
	const answer = await ask("GET", `/v1/${path}`);
	expect(answer.status).toBe(400);
	expect(badPaths(answer)).toHaveLength(1);
});

test("a source whose secret cannot be read is found by the status that it shows", async () => {
	await must("POST", "/v1/sources", { name: "lost-1" });
	await env.DB.prepare("UPDATE sources SET secrets = 'v1.nobody.AAAA' WHERE name = 'lost-1'").run();
	expect(await namesAt("/v1/sources?name=lost*&status=paused")).toEqual(["lost-1"]);
	expect(await namesAt("/v1/sources?name=lost*&status=active")).toEqual([]);
});

test("pages of a narrowed list miss nothing and repeat nothing", async () => {
	for (let n = 0; n < 7; n++) {
		await must("POST", "/v1/sources", { name: `p-${n}`, status: n % 2 === 0 ? "active" : "paused" });
	}
	const found: string[] = [];
	let cursor: string | null = "";
	for (let page = 0; cursor !== null && page < 20; page++) {
		const path: string = `/v1/sources?name=p-*&status=active&limit=1${cursor && `&cursor=${cursor}`}`;
		const { data, next_cursor } = await must<Page>("GET", path);
		found.push(...data.map(({ name }) => name));
		cursor = next_cursor;
	}
	expect(found).toEqual(["p-6", "p-4", "p-2", "p-0"]);
	expect(cursor).toBeNull();
});

test("a filter shows only what the caller may see", async () => {
	const key = await makeKey({ role: "subscriber", endpoints: ["ner"], subscriptions: ["t-*"] });
	const endpoints = await askWith(key, "GET", "/v1/endpoints?name=*");
	expect((endpoints.body["data"] as unknown[]).length).toBe(1);
	const subscriptions = await askWith(key, "GET", "/v1/subscriptions?endpoint=ocr");
	expect((subscriptions.body["data"] as { name: string }[]).map(({ name }) => name)).toEqual(["t-4"]);
});
