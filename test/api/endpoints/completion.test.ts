import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { findEndpoint, updateEndpoint } from "../../../src/store/resources/endpoints.ts";
import { ask, badPaths, must, ORIGIN } from "../client.ts";

const url = "https://models.example.com/predict";
const SECRET = `whsec_${btoa("c".repeat(32))}`;
let count = 0;
const unique = () => `later-${++count}`;

function create(completion: unknown, more = {}) {
	return ask("POST", "/v1/endpoints", { name: unique(), url, completion, ...more });
}

test("completion is kept, its secret hidden, and callbacks go to the host under which the API was called", async () => {
	const completion = { mode: "callback", deadline_seconds: 60, hold_slot: true, webhook_secret: SECRET };
	const { status, body, text } = await create(completion);
	expect(status).toBe(201);
	expect(body["completion"]).toEqual({ ...completion, webhook_secret: "***" });
	expect(text).not.toContain(SECRET);
	const stored = await findEndpoint(env, body.id);
	expect(stored?.completion).toMatchObject({ webhookSecret: SECRET, callbackOrigin: ORIGIN });
	const row = await env.DB.prepare("SELECT completion FROM endpoints WHERE id = ?")
		.bind(body.id)
		.first("completion");
	expect(row).not.toContain("callback");
});

describe("a change", () => {
	test("of one member keeps the others, and *** the stored secret", async () => {
		const { body } = await create({ mode: "callback", webhook_secret: SECRET });
		const path = `/v1/endpoints/${body.id}`;
		const changed = await must("PATCH", path, { completion: { deadline_seconds: 9, webhook_secret: "***" } });
		expect(changed["completion"]).toMatchObject({
			mode: "callback",
			deadline_seconds: 9,
			webhook_secret: "***",
		});
		expect((await findEndpoint(env, body.id))?.completion?.webhookSecret).toBe(SECRET);
		const without = await must("PATCH", path, { completion: { webhook_secret: null, mode: null } });
		expect(without["completion"]).toMatchObject({ mode: "sync", webhook_secret: null });
	});

	test("of another field keeps it, also in an endpoint that an earlier release has stored without one", async () => {
		const { body } = await create({ mode: "callback" });
		const path = `/v1/endpoints/${body.id}`;
		expect((await must("PATCH", path, { timeout_seconds: 5 }))["completion"]).toMatchObject({
			mode: "callback",
		});
		await env.DB.prepare("UPDATE endpoints SET completion = NULL WHERE id = ?").bind(body.id).run();
		expect((await must("GET", path))["completion"]).toMatchObject({ mode: "sync", deadline_seconds: 3600 });
	});

	test("gives a completion that cannot be read a readable form again", async () => {
		const { body } = await create({ mode: "callback" });
		const path = `/v1/endpoints/${body.id}`;
		await env.DB.prepare("UPDATE endpoints SET completion = 'v9:later' WHERE id = ?").bind(body.id).run();
		expect(await must("GET", path)).toMatchObject({ completion: null, unreadable: ["completion"] });
		const changed = await must("PATCH", path, { completion: { mode: "callback" } });
		expect(changed).toMatchObject({ completion: { mode: "callback" }, unreadable: null });
	});
});

test.each<[string, unknown, string[], object?]>([
	["a mode that there is not", { mode: "push" }, ["completion.mode"]],
	["a deadline of nothing", { deadline_seconds: 0 }, ["completion.deadline_seconds"]],
	["a deadline of more than three days", { deadline_seconds: 259_201 }, ["completion.deadline_seconds"]],
	["a secret that is none", { webhook_secret: "secret" }, ["completion.webhook_secret"]],
	["a hidden secret where none is stored", { webhook_secret: "***" }, ["completion.webhook_secret"]],
	[
		"a poll with a protocol that cannot",
		{ mode: "poll" },
		["completion.mode"],
		{ protocol: "kserve-v1", model: "m" },
	],
])("%s is refused", async (_, completion, paths, more = {}) => {
	const answer = await create(completion, more);
	expect(answer.status).toBe(422);
	expect(badPaths(answer)).toEqual(paths);
});

test("a protocol that cannot poll is refused for an endpoint that polls", async () => {
	const { body } = await create({ mode: "sync" });
	const stored = await findEndpoint(env, body.id);
	if (stored?.completion === null || stored === null) throw new Error("there is no completion");
	await updateEndpoint(env, stored, { completion: { ...stored.completion, mode: "poll" } });
	const changed = await ask("PATCH", `/v1/endpoints/${body.id}`, { protocol: "kserve-v1", model: "m" });
	expect(changed.status).toBe(422);
	expect(badPaths(changed)).toEqual(["completion.mode"]);
});
