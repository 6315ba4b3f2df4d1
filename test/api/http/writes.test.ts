import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Changeable, changeRecord } from "../../../src/api/http/writes.ts";
import { Problem } from "../../../src/http/problem.ts";
import { findEndpoint } from "../../../src/store/resources/endpoints.ts";
import { findSource } from "../../../src/store/resources/sources.ts";
import { type Answer, type Page, ask, must } from "../client.ts";

interface Counter {
	id: string;
	revision: number;
	updatedAt: number;
	count: number;
}

/** One record, which others change before each of the first `interruptions` writes; null: they delete it. */
function counter(interruptions: (number | null)[]): Changeable<Counter, Partial<Pick<Counter, "count">>> {
	let stored: Counter | null = { id: "c", revision: 1, updatedAt: 0, count: 0 };
	return {
		get: async () => {
			if (stored === null) throw new Problem(404, "not_found", "gone");
			return stored;
		},
		update: async (_env, former, { count = 0 }) => {
			const interruption = interruptions.shift();
			if (interruption === null) stored = null;
			else if (interruption !== undefined && stored !== null) {
				stored = { ...stored, revision: stored.revision + 1, count: stored.count + interruption };
			}
			if (stored === null || stored.revision !== former.revision) return { outcome: "changed" };
			stored = { ...stored, revision: stored.revision + 1, count };
			return { outcome: "updated", record: stored };
		},
		taken: () => new Problem(409, "name_taken", "taken"),
	};
}

async function increment(interruptions: (number | null)[]): Promise<number> {
	const { record } = await changeRecord(env, counter(interruptions), "c", ({ count }) => ({
		count: count + 1,
	}));
	return record.count;
}

describe("a change", () => {
	test("without another change in between is made", async () => {
		expect(await increment([])).toBe(1);
	});

	test("is recomputed after another change in between", async () => {
		expect(await increment([10])).toBe(11);
	});

	test("is given up when that happens twice", async () => {
		await expect(increment([10, 10])).rejects.toMatchObject({ status: 409, code: "changed_meanwhile" });
	});

	test("of what is deleted in between is 404", async () => {
		await expect(increment([null])).rejects.toMatchObject({ status: 404 });
		await expect(increment([10, null])).rejects.toMatchObject({ status: 404 });
	});

	test("of nothing writes nothing", async () => {
		const { former, record } = await changeRecord(env, counter([]), "c", () => null);
		expect(record).toBe(former);
	});
});

function routingVersion(): Promise<unknown> {
	return env.DB.prepare("SELECT value FROM meta WHERE key = 'routing_version'").first("value");
}

describe("a change to what is there already", () => {
	const url = "https://models.example.com/";
	const secret = "a-source-secret";

	test.each<[string, string, unknown]>([
		["PATCH", "/v1/sources/still", { description: "x", event_type: "a.b", auth: { type: "bearer" }, secret }],
		["PATCH", "/v1/sources/still", { kind: "generic", settings: {}, name: "still" }],
		["PATCH", "/v1/sources/still", {}],
		["POST", "/v1/sources/still/resume", undefined],
		["PATCH", "/v1/endpoints/still@1", { url, headers: { "x-a": "b" }, retry: { statuses: [409] } }],
		["PATCH", "/v1/endpoints/still@1", { auth: { type: "bearer", token: "t" }, protocol: "http" }],
		["PATCH", "/v1/endpoints/still@1", { completion: { mode: "sync" }, timeout_seconds: 9 }],
		["PATCH", "/v1/endpoints/still@1", {}],
		["POST", "/v1/endpoints/still@1/resume", undefined],
		["PATCH", "/v1/subscriptions/still", { name: "still", source: "still", endpoint: "still@1" }],
		["PATCH", "/v1/subscriptions/still", { types: ["a.*"], filters: [{ jsonata: "true" }], transform: null }],
		["PATCH", "/v1/subscriptions/still", { result: { type: "done" } }],
		["PATCH", "/v1/subscriptions/still", {}],
		["POST", "/v1/subscriptions/still/resume", undefined],
		["POST", "/v1/subscriptions/still/grant", undefined],
	])("writes nothing and returns it: %s %s %j", async (method, path, body) => {
		await must("PUT", "/v1/sources/still", { description: "x", event_type: "a.b", secret });
		await must("PUT", "/v1/endpoints/still@1", {
			url,
			headers: { "x-a": "b" },
			auth: { type: "bearer", token: "t" },
			timeout_seconds: 9,
			retry: { statuses: [409] },
			completion: { mode: "sync" },
		});
		await must("PUT", "/v1/subscriptions/still", {
			source: "still",
			endpoint: "still@1",
			types: ["a.*"],
			filters: [{ jsonata: "true" }],
			result: { type: "done" },
		});
		const resource = path.replace(/\/(?:resume|grant)$/, "");
		const before = await ask("GET", resource);
		const count = async () =>
			(await must<Page>("GET", `/v1/audit?resource=${before.body.id}&limit=200`)).data.length;
		const stood = [await count(), await routingVersion()];
		const answer = await ask(method, path, body);
		expect(answer).toMatchObject({
			status: 200,
			body: { id: before.body.id, updated_at: before.body["updated_at"] },
		});
		expect(answer.headers.get("etag")).toBe(before.headers.get("etag"));
		expect([await count(), await routingVersion()]).toEqual(stood);
	});

	test("is written where the value that is stored cannot be read", async () => {
		await must("PUT", "/v1/endpoints/still@1", { url });
		await must("POST", "/v1/subscriptions", { name: "unread", endpoint: "still@1" });
		await env.DB.prepare(
			"UPDATE subscriptions SET filters = '[7]', result = '7' WHERE name = 'unread'",
		).run();
		const patched = await must("PATCH", "/v1/subscriptions/unread", { filters: [], result: null });
		expect(patched).toMatchObject({ status: "active", filters: [], result: null });
	});

	test("ends the former secret of a rotation, whose new one is given once more", async () => {
		await must("POST", "/v1/sources", { name: "rotating", secret: "the-first-secret" });
		await must("POST", "/v1/sources/rotating/secret/rotate", { secret });
		await must("PATCH", "/v1/sources/rotating", { secret });
		expect((await findSource(env, "rotating"))?.secrets?.map(({ value }) => value)).toEqual([secret]);
	});
});

/** All at once; whoever was refused was told so. */
async function atOnce(asked: Promise<Answer>[]): Promise<Answer[]> {
	const answers = await Promise.all(asked);
	for (const { status, body } of answers) {
		if (status >= 300) expect([status, body["code"]]).toEqual([409, "changed_meanwhile"]);
	}
	return answers.filter(({ status }) => status < 300);
}

describe("changes at once", () => {
	const url = "https://models.example.com/";

	test("two rotations of a source: each returned secret is usable", async () => {
		await must("POST", "/v1/sources", { name: "rotated" });
		const path = "/v1/sources/rotated/secret/rotate";
		const done = await atOnce([ask("POST", path), ask("POST", path)]);
		const live = (await findSource(env, "rotated"))?.secrets?.map(({ value }) => value);
		expect(done.length).toBeGreaterThan(0);
		for (const { body } of done) expect(live).toContain(body["secret"]);
	});

	test("two changes of one object's fields: both are there", async () => {
		await must("POST", "/v1/endpoints", { name: "patched", url });
		const path = "/v1/endpoints/patched";
		const done = await atOnce([
			ask("PATCH", path, { retry: { cold_start_seconds: 60 } }),
			ask("PATCH", path, { retry: { busy_max_wait_seconds: 7 } }),
		]);
		expect(done).toHaveLength(2);
		expect((await findEndpoint(env, "patched"))?.retry).toMatchObject({
			coldStartSeconds: 60,
			busyMaxWaitSeconds: 7,
		});
	});

	test("twenty of a result policy: every one that was accepted counts, and pausing does too", async () => {
		await must("POST", "/v1/endpoints", { name: "result", url });
		await must("POST", "/v1/subscriptions", { name: "crowded", endpoint: "result", result: {} });
		const path = "/v1/subscriptions/crowded";
		const fields = [{ type: "done" }, { max_hops: 3 }, { allow_cycles: true }, { transform: "result.a" }];
		const asked = Array.from({ length: 19 }, (_, index) =>
			ask("PATCH", path, { result: fields[index % fields.length] }).then((answer) => ({
				...answer,
				body: { ...answer.body, asked: fields[index % fields.length] },
			})),
		);
		const pausing = ask("POST", `${path}/pause`);
		const done = await atOnce([...asked, pausing]);
		const stored = await must("GET", path);
		expect(done.length).toBeGreaterThan(0);
		for (const { body } of done) expect(stored["result"]).toMatchObject(body["asked"] ?? {});
		if ((await pausing).status === 200) expect(stored["status"]).toBe("paused");
	});

	test("twenty rotations of an endpoint: every secret that was given out signs", async () => {
		await must("POST", "/v1/endpoints", { name: "signed", url });
		const path = "/v1/endpoints/signed/secret/rotate";
		const answers = await Promise.all(Array.from({ length: 20 }, () => ask("POST", path)));
		const live = (await findEndpoint(env, "signed"))?.signingSecrets?.map(({ value }) => value);
		const done = answers.filter(({ status }) => status === 200);
		expect(done.length).toBeGreaterThan(0);
		for (const { body } of done) expect(live).toContain(body["signing_secret"]);
		for (const { body } of answers.filter(({ status }) => status !== 200)) {
			expect(["changed_meanwhile", "too_many_secrets"]).toContain(body["code"]);
		}
	});
});
