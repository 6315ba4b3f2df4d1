import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import {
	deleteEndpoint,
	findEndpoint,
	insertEndpoint,
	stopEndpoint,
	updateEndpoint,
} from "../../src/store/resources/endpoints.ts";
import { isDeleted } from "../../src/store/deleted.ts";
import { loadSettings } from "../../src/store/views/settings.ts";
import { loadRoutingTable, readRoutingVersion } from "../../src/store/views/routing.ts";
import { cacheSource, readCachedSource } from "../../src/store/views/source-cache.ts";
import {
	deleteSource,
	findSource,
	insertSource,
	listSources,
	updateSource,
} from "../../src/store/resources/sources.ts";
import {
	deleteSubscription,
	findSubscription,
	insertSubscription,
	updateSubscription,
} from "../../src/store/resources/subscriptions.ts";
import { aSource, aSubscription, anEndpoint } from "./records.ts";

beforeEach(() => reset());

async function idsAfter(after: { createdAt: number; id: string } | null): Promise<string[]> {
	return (await listSources(env, { after, limit: 2 })).map(({ id }) => id);
}

async function versionOf(ref: string): Promise<string | undefined> {
	return (await findEndpoint(env, ref))?.version;
}

describe("sources", () => {
	test("come back as they were stored, by id and by name", async () => {
		const source = aSource({
			auth: { type: "hmac", header: "x-sig", algorithm: "sha256", encoding: "hex", prefix: "sha256=" },
			eventType: "=body.type",
			subject: "literal",
			dedupeKey: "body.id",
			description: "scans",
		});
		expect(await insertSource(env, source)).toBe(true);
		expect(await findSource(env, source.id)).toEqual(source);
		expect(await findSource(env, source.name)).toEqual(source);
		expect(await findSource(env, "nobody")).toBeNull();
	});

	test("a name is used once", async () => {
		const source = aSource();
		await insertSource(env, source);
		expect(await insertSource(env, aSource({ name: source.name }))).toBe(false);
		const other = aSource();
		await insertSource(env, other);
		expect(await updateSource(env, other, { name: source.name })).toEqual({ outcome: "name_taken" });
		const gone = { ...other, id: "src_gone" };
		expect(await updateSource(env, gone, { name: "free" })).toEqual({ outcome: "changed" });
	});

	test("an update writes the named fields only", async () => {
		const source = aSource({ description: "before" });
		await insertSource(env, source);
		const update = await updateSource(env, source, { description: null });
		expect(update).toMatchObject({
			outcome: "updated",
			record: { ...source, description: null, revision: 2, updatedAt: expect.any(Number) },
		});
	});

	test("are listed newest first, from any place on", async () => {
		const [oldest, middle, newest] = [aSource(), aSource(), aSource()];
		for (const source of [middle, newest, oldest]) await insertSource(env, source);
		expect(await idsAfter(null)).toEqual([newest.id, middle.id]);
		expect(await idsAfter(middle)).toEqual([oldest.id]);
	});

	test("are not deleted while a subscription names them", async () => {
		const [source, endpoint] = [aSource(), anEndpoint()];
		await insertSource(env, source);
		await insertEndpoint(env, endpoint);
		const user = aSubscription({ sourceId: source.id, target: { endpointId: endpoint.id } });
		await insertSubscription(env, user);
		expect(await deleteSource(env, source.id)).toMatchObject({ usedBy: [user.name] });
		expect(await findSource(env, source.id)).not.toBeNull();
		await deleteSubscription(env, user.id);
		expect(await deleteSource(env, source.id)).toMatchObject({ usedBy: [] });
		expect(await findSource(env, source.id)).toBeNull();
	});
});

describe("secrets at rest", () => {
	test("no row holds one in plain text", async () => {
		await insertSource(env, aSource());
		await insertEndpoint(
			env,
			anEndpoint({ auth: { type: "basic", username: "u", password: "endpoint-password" } }),
		);
		await insertEndpoint(env, anEndpoint());
		const rows = await env.DB.batch([
			env.DB.prepare("SELECT * FROM sources"),
			env.DB.prepare("SELECT * FROM endpoints"),
		]);
		const stored = JSON.stringify(rows.map(({ results }) => results));
		expect(stored).toContain("models.example.com");
		for (const secret of [
			"source-secret",
			"endpoint-token",
			"endpoint-password",
			"header-secret",
			"signing-secret",
		]) {
			expect(stored).not.toContain(secret);
		}
	});
});

describe("endpoints", () => {
	test("come back as they were stored", async () => {
		const endpoint = anEndpoint({ auth: { type: "header", name: "x-key", value: "k" } });
		await insertEndpoint(env, endpoint);
		expect(await findEndpoint(env, endpoint.id)).toEqual(endpoint);
		expect(await findEndpoint(env, `${endpoint.name}@1`)).toEqual(endpoint);
		expect(await findEndpoint(env, `${endpoint.name}@2`)).toBeNull();
	});

	test("a version of a name is used once", async () => {
		const endpoint = anEndpoint();
		expect(await insertEndpoint(env, endpoint)).toBe(true);
		expect(await insertEndpoint(env, anEndpoint({ name: endpoint.name }))).toBe(false);
		expect(await insertEndpoint(env, anEndpoint({ name: endpoint.name, version: "2" }))).toBe(true);
	});

	test("the latest is the newest active version, or the newest of all", async () => {
		const first = anEndpoint({ name: "ocr", version: "1" });
		const second = anEndpoint({ name: "ocr", version: "2" });
		const third = anEndpoint({ name: "ocr", version: "3" });
		for (const endpoint of [first, second, third]) await insertEndpoint(env, endpoint);
		expect(await versionOf("ocr@latest")).toBe("3");
		expect(await versionOf("ocr")).toBe("3");
		await stopEndpoint(env, third, "paused", "unauthorized");
		expect(await versionOf("ocr")).toBe("2");
		await stopEndpoint(env, second, "disabled", "gone");
		await stopEndpoint(env, first, "paused", "quota");
		expect(await versionOf("ocr@latest")).toBe("3");
		expect(await versionOf("nobody@latest")).toBeUndefined();
	});

	test("one that is stopped says why, and nothing else changes", async () => {
		const endpoint = anEndpoint();
		await insertEndpoint(env, endpoint);
		expect(await stopEndpoint(env, endpoint, "paused", "unauthorized")).toBe(true);
		expect(await findEndpoint(env, endpoint.id)).toEqual({
			...endpoint,
			status: "paused",
			statusReason: "unauthorized",
			revision: 2,
			updatedAt: expect.any(Number),
		});
	});

	test("one that has changed since it was read is not stopped", async () => {
		const endpoint = anEndpoint({ updatedAt: 1 });
		await insertEndpoint(env, endpoint);
		await updateEndpoint(env, endpoint, { url: "https://other.example.com/" });
		expect(await stopEndpoint(env, endpoint, "paused", "unauthorized")).toBe(false);
		expect(await findEndpoint(env, endpoint.id)).toMatchObject({ status: "active", statusReason: null });
	});

	test("are not deleted while a subscription targets them, or their name for the last version", async () => {
		const [first, second] = [anEndpoint({ name: "ner" }), anEndpoint({ name: "ner", version: "2" })];
		await insertEndpoint(env, first);
		await insertEndpoint(env, second);
		const explicit = aSubscription({ target: { endpointId: first.id } });
		const latest = aSubscription({ target: { latestOf: "ner" } });
		await insertSubscription(env, explicit);
		await insertSubscription(env, latest);
		expect(await deleteEndpoint(env, first.id)).toMatchObject({ usedBy: [explicit.name] });
		expect(await deleteEndpoint(env, second.id)).toMatchObject({ usedBy: [] });
		expect(await findEndpoint(env, second.id)).toBeNull();
		await deleteSubscription(env, explicit.id);
		expect(await deleteEndpoint(env, first.id)).toMatchObject({ usedBy: [latest.name] });
		expect(await findEndpoint(env, first.id)).not.toBeNull();
	});
});

describe("a deleted resource", () => {
	test("is remembered; what was kept because it is used, or was never there, is not", async () => {
		const [source, endpoint] = [aSource(), anEndpoint()];
		await insertSource(env, source);
		await insertEndpoint(env, endpoint);
		const user = aSubscription({ sourceId: source.id, target: { endpointId: endpoint.id } });
		await insertSubscription(env, user);
		await deleteSource(env, source.id);
		await deleteEndpoint(env, endpoint.id);
		const ids = [source.id, endpoint.id, user.id];
		for (const id of ids) expect(await isDeleted(env, id)).toBe(false);
		await deleteSubscription(env, user.id);
		await deleteSource(env, source.id);
		await deleteEndpoint(env, endpoint.id);
		for (const id of ids) expect(await isDeleted(env, id)).toBe(true);
	});

	test("is not named by a subscription that comes a moment too late, unless it was restored", async () => {
		const [source, endpoint] = [aSource(), anEndpoint()];
		await deleteSource(env, source.id);
		await deleteEndpoint(env, endpoint.id);
		const target = { latestOf: "any" };
		const subscription = aSubscription({ target });
		expect(await insertSubscription(env, subscription)).toBe("inserted");
		const late = [
			{ sourceId: source.id, target },
			{ sourceId: null, target: { endpointId: endpoint.id } },
		];
		for (const names of late) {
			expect(await insertSubscription(env, aSubscription(names))).toBe("changed");
			expect(await updateSubscription(env, subscription, names)).toEqual({ outcome: "changed" });
		}
		expect(await findSubscription(env, subscription.id)).toMatchObject({ revision: 1 });
		await insertSource(env, source);
		await insertEndpoint(env, endpoint);
		for (const names of late) expect(await insertSubscription(env, aSubscription(names))).toBe("inserted");
	});

	test("is forgotten after a year", async () => {
		await deleteSubscription(env, "sub_old");
		await env.DB.prepare("UPDATE deleted SET deleted_at = deleted_at - 366 * 86400000").run();
		await deleteSubscription(env, "sub_new");
		expect(await isDeleted(env, "sub_old")).toBe(false);
		expect(await isDeleted(env, "sub_new")).toBe(true);
	});

	test("is distinguished from what is missing", async () => {
		const endpoint = anEndpoint();
		expect(await loadSettings(env, endpoint.id)).toBe("missing");
		await deleteEndpoint(env, endpoint.id);
		expect(await loadSettings(env, endpoint.id)).toBe("deleted");
		await insertEndpoint(env, endpoint);
		expect(await loadSettings(env, endpoint.id)).toMatchObject({ endpoint });
	});
});

describe("a change", () => {
	test("is not made to what has changed since it was read, by a Worker of release 0.1 either", async () => {
		const source = aSource();
		await insertSource(env, source);
		await updateSource(env, source, { description: "first" });
		expect(await updateSource(env, source, { description: "second" })).toEqual({ outcome: "changed" });
		const current = await findSource(env, source.id);
		// That release knows no revision.
		await env.DB.prepare("UPDATE sources SET name = 'theirs', updated_at = updated_at + 5 WHERE id = ?")
			.bind(source.id)
			.run();
		expect(await updateSource(env, { ...source, ...current }, { name: "ours" })).toEqual({
			outcome: "changed",
		});
		expect(await findSource(env, source.id)).toMatchObject({ name: "theirs", description: "first" });
	});
});

describe("for Workers of release 0.1, which may run at the same time", () => {
	test("paused resources are stored in its words", async () => {
		const source = aSource({ status: "paused" });
		await insertSource(env, source);
		const subscription = aSubscription({ target: { endpointId: "ep_1" }, status: "paused" });
		await insertSubscription(env, subscription);
		const rows = await env.DB.batch<{ word: unknown }>([
			env.DB.prepare("SELECT status AS word FROM sources WHERE id = ?").bind(source.id),
			env.DB.prepare("SELECT enabled AS word FROM subscriptions WHERE id = ?").bind(subscription.id),
		]);
		expect(rows.map(({ results }) => results[0]?.word)).toEqual(["disabled", 0]);
		await cacheSource(env, source);
		expect(await env.SOURCES.get(`source/${source.id}`, "json")).toMatchObject({ status: "disabled" });
		expect((await readCachedSource(env, source.id))?.source).toEqual(source);
	});
});

describe("header values", () => {
	test("are known as they arrive: HTTP takes the white space around them off", async () => {
		const auth = { type: "header", name: "x-key", value: "key " } as const;
		const endpoint = anEndpoint({ auth, headers: { "x-api-key": " other\t" } });
		await insertEndpoint(env, endpoint);
		expect(await findEndpoint(env, endpoint.id)).toMatchObject({
			auth: { value: "key" },
			headers: { "x-api-key": "other" },
		});
	});
});

describe("subscriptions", () => {
	test("come back as they were stored, by id and by name", async () => {
		const subscription = aSubscription({
			sourceId: "src_api",
			types: ["a.*", "b"],
			filters: [{ not: { exact: { subject: "x" } } }, { jsonata: "data.n > 1" }],
			target: { latestOf: "ocr" },
			transform: "data",
			result: { type: "done", transform: null, maxHops: 3, allowCycles: true },
			status: "paused",
		});
		await insertSubscription(env, subscription);
		expect(await findSubscription(env, subscription.id)).toEqual(subscription);
		expect(await findSubscription(env, subscription.name)).toEqual(subscription);
	});

	test("a new target replaces the other form of the old one", async () => {
		const subscription = aSubscription({ target: { latestOf: "ocr" } });
		await insertSubscription(env, subscription);
		await updateSubscription(env, subscription, { target: { endpointId: "ep_1" } });
		expect((await findSubscription(env, subscription.id))?.target).toEqual({ endpointId: "ep_1" });
	});
});

describe("the data that routing reads", () => {
	test("everything at once, without opening a secret", async () => {
		const [source, endpoint] = [aSource(), anEndpoint()];
		await insertSource(env, source);
		await insertEndpoint(env, endpoint);
		const subscription = aSubscription({ target: { endpointId: endpoint.id } });
		await insertSubscription(env, subscription);
		// With other keys nothing could be opened.
		const table = await loadRoutingTable({ ...env, DB: env.DB, ADMIN_TOKEN: "other" });
		expect(table).toEqual({
			version: await readRoutingVersion(env),
			endpoints: [
				{
					id: endpoint.id,
					name: endpoint.name,
					version: "1",
					status: "active",
					createdAt: endpoint.createdAt,
				},
			],
			subscriptions: [subscription],
		});
	});

	test("every change moves the version on", async () => {
		const [source, endpoint] = [aSource(), anEndpoint()];
		const subscription = aSubscription({ target: { endpointId: endpoint.id } });
		// Read anew: a change of what has been changed since is none.
		const stored = async () => (await findEndpoint(env, endpoint.id)) ?? endpoint;
		const changes: [string, () => Promise<unknown>][] = [
			["insert source", () => insertSource(env, source)],
			["insert endpoint", () => insertEndpoint(env, endpoint)],
			["insert subscription", () => insertSubscription(env, subscription)],
			["update source", () => updateSource(env, source, { status: "paused" })],
			["stop endpoint", () => stopEndpoint(env, endpoint, "paused", "quota")],
			[
				"update endpoint",
				async () => updateEndpoint(env, await stored(), { url: "https://other.example.com/" }),
			],
			["update subscription", () => updateSubscription(env, subscription, { status: "paused" })],
			["delete subscription", () => deleteSubscription(env, subscription.id)],
			["delete endpoint", () => deleteEndpoint(env, endpoint.id)],
			["delete source", () => deleteSource(env, source.id)],
		];
		for (const [name, change] of changes) {
			const before = await readRoutingVersion(env);
			await change();
			expect(await readRoutingVersion(env), name).toBeGreaterThan(before);
		}
	});

	test("a version is not used again after the database has lost its latest changes", async () => {
		await insertSource(env, aSource());
		const version = await readRoutingVersion(env);
		await reset();
		await insertSource(env, aSource());
		expect(await readRoutingVersion(env)).toBeGreaterThanOrEqual(version);
		await insertSource(env, aSource());
		expect(await readRoutingVersion(env)).toBeGreaterThan(version);
	});
});

describe("the data that a dispatcher reads", () => {
	test("its endpoint and every subscription that may target it", async () => {
		const [endpoint, other] = [anEndpoint({ name: "ocr" }), anEndpoint({ name: "ner" })];
		await insertEndpoint(env, endpoint);
		await insertEndpoint(env, other);
		const explicit = aSubscription({ target: { endpointId: endpoint.id } });
		const latest = aSubscription({ target: { latestOf: "ocr" } });
		const foreign = aSubscription({ target: { endpointId: other.id } });
		for (const subscription of [explicit, latest, foreign]) await insertSubscription(env, subscription);
		const policy = await loadSettings(env, endpoint.id);
		const subscriptions = new Map([explicit, latest].map((subscription) => [subscription.id, subscription]));
		expect(policy).toEqual({
			endpoint,
			subscriptions,
			others: new Map(),
			ownHosts: [],
			isAnnouncing: false,
		});
	});
});
