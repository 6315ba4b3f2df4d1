import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type Changeable, changeRecord } from "../../../src/api/http/writes.ts";
import { Problem } from "../../../src/http/problem.ts";
import { findEndpoint } from "../../../src/store/endpoints.ts";
import { findSource } from "../../../src/store/sources.ts";
import { type Answer, ask, must } from "../client.ts";

interface Counter {
	id: string;
	revision: number;
	updatedAt: number;
	count: number;
}

/** One record, which others change before each of the first `interruptions` writes; null: they delete it. */
function counter(interruptions: (number | null)[]): Changeable<Counter, { count: number }> {
	let stored: Counter | null = { id: "c", revision: 1, updatedAt: 0, count: 0 };
	return {
		get: async () => {
			if (stored === null) throw new Problem(404, "not_found", "gone");
			return stored;
		},
		update: async (_env, former, { count }) => {
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
