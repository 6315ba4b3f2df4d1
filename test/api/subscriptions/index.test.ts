import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { explain } from "../../../src/routing/explain.ts";
import { type Resource, ask, badPaths, must } from "../client.ts";

let count = 0;
const unique = () => `subscription-${++count}`;
let endpoint: Resource;
let source: Resource;

beforeAll(async () => {
	endpoint = await must("POST", "/v1/endpoints", {
		name: "ocr",
		version: "3",
		url: "https://models.example.com/",
	});
	source = await must("POST", "/v1/sources", { name: "documents-db" });
});

async function targetsFor(ref: string): Promise<unknown> {
	return (await must("POST", "/v1/subscriptions", { endpoint: ref }))["targets"];
}

describe("creating a subscription", () => {
	test("an endpoint is enough", async () => {
		const { status, body } = await ask("POST", "/v1/subscriptions", { endpoint: "ocr@3" });
		expect(status).toBe(201);
		expect(body).toEqual({
			id: expect.stringMatching(/^sub_[0-9a-z]{10}$/),
			name: expect.stringMatching(/^to-ocr-3-[0-9a-f]{6}$/),
			source: null,
			source_id: null,
			types: [],
			filters: [],
			targets: [{ endpoint: "ocr@3", endpoint_id: endpoint.id }],
			transform: null,
			result: null,
			status: "active",
			status_reason: null,
			created_at: expect.stringMatching(/Z$/),
			updated_at: expect.stringMatching(/Z$/),
			warnings: [],
		});
	});

	test("every field is kept", async () => {
		const fields = {
			name: unique(),
			types: ["document.*", "scan.created"],
			filters: [
				{ any: [{ prefix: { subject: "scans/" } }, { not: { suffix: { subject: ".tmp" } } }] },
				{ jsonata: "data.n > 1" },
			],
			transform: "data.record",
			result: { type: "ocr.completed", transform: "result.text", max_hops: 2, allow_cycles: true },
			status: "paused",
		};
		await must("POST", "/v1/subscriptions", {
			...fields,
			source: "documents-db",
			targets: [{ endpoint: "ocr@3" }],
		});
		expect(await must("GET", `/v1/subscriptions/${fields.name}`)).toMatchObject({
			...fields,
			source: "documents-db",
			source_id: source.id,
		});
	});

	test.each([
		["by name", "documents-db", "documents-db"],
		["a builtin one", "results", "results"],
		["a builtin one by id", "src_api", "api"],
	])("the source %s", async (_, given, shown) => {
		const created = await must("POST", "/v1/subscriptions", { endpoint: "ocr@3", source: given });
		expect(created["source"]).toBe(shown);
	});

	test("the source by id", async () => {
		const created = await must("POST", "/v1/subscriptions", { endpoint: "ocr@3", source: source.id });
		expect(created).toMatchObject({ source: "documents-db", source_id: source.id });
	});

	test("the endpoint by id is shown by name; the latest stays the latest", async () => {
		expect(await targetsFor(endpoint.id)).toEqual([{ endpoint: "ocr@3", endpoint_id: endpoint.id }]);
		expect(await targetsFor("ocr@latest")).toEqual([{ endpoint: "ocr@latest" }]);
		expect(await targetsFor("ocr")).toEqual([{ endpoint: "ocr@latest" }]);
	});

	test("a result policy takes its defaults", async () => {
		const created = await must("POST", "/v1/subscriptions", { endpoint: "ocr", result: { type: "read" } });
		expect(created["result"]).toEqual({ type: "read", transform: null, max_hops: 8, allow_cycles: false });
	});

	test.each([
		["no target", {}, ["targets"]],
		["both forms of a target", { endpoint: "ocr", targets: [{ endpoint: "ocr" }] }, ["endpoint"]],
		["two targets", { targets: [{ endpoint: "ocr" }, { endpoint: "ocr" }] }, ["targets"]],
		["a weight, not yet", { targets: [{ endpoint: "ocr", weight: 1 }] }, ["targets.0.weight"]],
		["an unknown endpoint", { targets: [{ endpoint: "nobody@1" }] }, ["targets.0.endpoint"]],
		["an unknown endpoint, in short", { endpoint: "nobody@1" }, ["endpoint"]],
		["nothing that exists", { endpoint: "nobody@1", source: "nobody" }, ["endpoint", "source"]],
		["a * in the middle", { endpoint: "ocr", types: ["a", "a.*.b"] }, ["types.1"]],
		["an unknown dialect", { endpoint: "ocr", filters: [{ regex: "a" }] }, ["filters.0"]],
		["a bad filter", { endpoint: "ocr", filters: [{ jsonata: "a.(" }] }, ["filters.0.jsonata"]],
		["a bad transform", { endpoint: "ocr", transform: "data.(" }, ["transform"]],
		["a bad result transform", { endpoint: "ocr", result: { transform: "result.(" } }, ["result.transform"]],
		["no hops", { endpoint: "ocr", result: { max_hops: 0 } }, ["result.max_hops"]],
		["a field that is not there yet", { endpoint: "ocr", ordering_key: "id" }, ["ordering_key"]],
		["a name that looks like an id", { endpoint: "ocr", name: "sub_1" }, ["name"]],
	])("%s is 422 and the field is named", async (_, body, paths) => {
		const answer = await ask("POST", "/v1/subscriptions", body);
		expect(answer).toMatchObject({ status: 422, body: { code: "invalid_request" } });
		expect(badPaths(answer)).toEqual(paths);
	});

	test("a name that is taken is 409", async () => {
		const name = unique();
		await must("POST", "/v1/subscriptions", { name, endpoint: "ocr" });
		expect(await ask("POST", "/v1/subscriptions", { name, endpoint: "ocr" })).toMatchObject({
			status: 409,
			body: { code: "name_taken", detail: `There is already a subscription named ${name}.` },
		});
	});
});

describe("changing a subscription", () => {
	test("changes the named fields only", async () => {
		const name = unique();
		const created = await must("POST", "/v1/subscriptions", {
			name,
			endpoint: "ocr@3",
			source: "documents-db",
			types: ["a"],
			result: { type: "read", max_hops: 3 },
		});
		const changed = await must("PATCH", `/v1/subscriptions/${name}`, {
			transform: "data",
			result: { allow_cycles: true },
		});
		expect(changed).toEqual({
			...created,
			transform: "data",
			result: { type: "read", transform: null, max_hops: 3, allow_cycles: true },
			updated_at: expect.any(String),
		});
	});

	test("null takes the source, the transform and the result away", async () => {
		const name = unique();
		await must("POST", "/v1/subscriptions", {
			name,
			endpoint: "ocr",
			source: "api",
			transform: "data",
			result: {},
		});
		const none = { source: null, transform: null, result: null };
		expect(await must("PATCH", `/v1/subscriptions/${name}`, none)).toMatchObject({
			...none,
			source_id: null,
		});
	});

	test("another target takes the place of the first", async () => {
		const name = unique();
		await must("POST", "/v1/subscriptions", { name, endpoint: "ocr@latest" });
		const changed = await must("PATCH", `/v1/subscriptions/${name}`, { targets: [{ endpoint: "ocr@3" }] });
		expect(changed["targets"]).toEqual([{ endpoint: "ocr@3", endpoint_id: endpoint.id }]);
	});

	test("bad changes are refused and change nothing", async () => {
		const name = unique();
		const { warnings: _, ...created } = await must("POST", "/v1/subscriptions", { name, endpoint: "ocr" });
		for (const fields of [{ endpoint: "nobody" }, { source: "nobody" }, { typos: [] }, { types: "a" }]) {
			const answer = await ask("PATCH", `/v1/subscriptions/${name}`, { transform: "data", ...fields });
			expect(answer.status).toBe(422);
			expect(badPaths(answer)).toEqual(Object.keys(fields));
		}
		expect(await must("GET", `/v1/subscriptions/${name}`)).toEqual(created);
	});
});

describe("pausing and resuming a subscription", () => {
	test("a paused one matches nothing, and explains so", async () => {
		const name = unique();
		const { id } = await must("POST", "/v1/subscriptions", { name, endpoint: "ocr@3", types: [name] });
		const path = `/v1/subscriptions/${name}`;
		const paused = { status: "paused", status_reason: "manual" };
		expect(await must("POST", `${path}/pause`)).toMatchObject(paused);
		expect(await must("GET", path)).toMatchObject(paused);
		const entry = { id: "e", source: "/t", type: name };
		const event = { id: "evt_1", sourceId: "src_api", receivedAt: 0, attributes: entry, data: null };
		const reasonOf = async () => {
			const unmatched = await explain(env, event, { readNames: async () => new Map() });
			return unmatched.find(({ subscription_id }) => subscription_id === id)?.reason;
		};
		expect(await reasonOf()).toBe("the subscription is paused");
		expect(await must("POST", `${path}/resume`)).toMatchObject({ status: "active", status_reason: null });
		expect(await reasonOf()).toBeUndefined();
	});

	test.each([{ enabled: false }, { status: "paused" }])(
		"PATCH does not: %j, and says what does",
		async (field) => {
			const name = unique();
			await must("POST", "/v1/subscriptions", { name, endpoint: "ocr@3" });
			const answer = await ask("PATCH", `/v1/subscriptions/${name}`, field);
			expect(badPaths(answer)).toEqual(Object.keys(field));
			expect(answer.text).toContain("POST …/pause");
		},
	);

	test("enabled has become status", async () => {
		const answer = await ask("POST", "/v1/subscriptions", { endpoint: "ocr@3", enabled: false });
		expect(badPaths(answer)).toEqual(["enabled"]);
		expect(answer.text).toContain("status");
	});
});

describe("reading and deleting", () => {
	test("by id and by name, and page by page", async () => {
		const { warnings: _, ...created } = await must("POST", "/v1/subscriptions", {
			name: unique(),
			endpoint: "ocr",
		});
		for (const ref of [created.id, created.name]) {
			expect(await must("GET", `/v1/subscriptions/${ref}`)).toEqual(created);
		}
		const page = await must("GET", "/v1/subscriptions?limit=1");
		expect(page["data"]).toEqual([created]);
		expect(page["next_cursor"]).toEqual(expect.any(String));
	});

	test("one that was lost from the database can still be deleted, once, by its id", async () => {
		const { id } = await must("POST", "/v1/subscriptions", { name: unique(), endpoint: "ocr" });
		await env.DB.prepare("DELETE FROM subscriptions WHERE id = ?").bind(id).run();
		expect((await ask("DELETE", `/v1/subscriptions/${id}`)).status).toBe(204);
		expect((await ask("DELETE", `/v1/subscriptions/${id}`)).status).toBe(404);
	});

	test("a deleted subscription is 404", async () => {
		const name = unique();
		await must("POST", "/v1/subscriptions", { name, endpoint: "ocr" });
		expect((await ask("DELETE", `/v1/subscriptions/${name}`)).status).toBe(204);
		expect(await ask("GET", `/v1/subscriptions/${name}`)).toMatchObject({
			status: 404,
			body: { code: "subscription_not_found" },
		});
	});
});
