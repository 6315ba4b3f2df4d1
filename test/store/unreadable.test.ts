import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { seal } from "../../src/crypto/seal.ts";
import { buildTable } from "../../src/routing/table.ts";
import { DEFAULT_RETRY } from "../../src/store/resources/endpoint-columns.ts";
import { findEndpoint, insertEndpoint, listEndpoints } from "../../src/store/resources/endpoints.ts";
import { loadSettings, subscriptionOf } from "../../src/store/views/settings.ts";
import { isReadable, isVerifying } from "../../src/store/records.ts";
import { loadRoutingTable } from "../../src/store/views/routing.ts";
import { findSource, insertSource, listSources } from "../../src/store/resources/sources.ts";
import {
	findSubscription,
	insertSubscription,
	updateSubscription,
} from "../../src/store/resources/subscriptions.ts";
import { anEndpoint, aSource, aSubscription } from "./records.ts";

const ALL = { after: null, limit: 200 };

/** Writes a column as another release might have. */
async function store(table: string, id: string, column: string, value: string): Promise<void> {
	await env.DB.prepare(`UPDATE ${table} SET ${column} = ?, revision = revision + 1 WHERE id = ?`)
		.bind(value, id)
		.run();
}

const FORMS = ["", "{", "null", "7", '{"type":"passkey","key":"k"}', '[{"v":2}]'];

describe.each(FORMS)("a value that another release stored as %j fails no list", (form) => {
	test.each(["auth", "settings"] as const)("%s of a source", async (column) => {
		const [source, neighbour] = [aSource(), aSource()];
		for (const record of [source, neighbour]) await insertSource(env, record);
		await store("sources", source.id, column, column === "settings" && form.startsWith('{"') ? "[]" : form);
		const found = await findSource(env, source.id);
		expect(found?.[column]).toBeNull();
		expect(found !== null && isVerifying(found)).toBe(false);
		expect((await listSources(env, ALL)).map(({ id }) => id)).toContain(neighbour.id);
	});

	test.each(["auth", "headers", "signing_secrets"])("%s of an endpoint", async (column) => {
		const [endpoint, neighbour] = [anEndpoint(), anEndpoint()];
		for (const record of [endpoint, neighbour]) await insertEndpoint(env, record);
		// Names and values of any sort are headers.
		const text = column === "headers" && form.startsWith('{"') ? '{"a":{"b":1}}' : form;
		await store("endpoints", endpoint.id, column, await seal(env, text));
		const found = await findEndpoint(env, endpoint.id);
		expect(found !== null && isReadable(found)).toBe(false);
		expect((await listEndpoints(env, ALL)).map(({ id }) => id)).toContain(neighbour.id);
	});

	test("the policy of retries, which is the default then", async () => {
		const endpoint = anEndpoint();
		await insertEndpoint(env, endpoint);
		await store("endpoints", endpoint.id, "retry", form);
		expect((await findEndpoint(env, endpoint.id))?.retry).toEqual(DEFAULT_RETRY);
	});

	test.each(["types", "filters", "result"] as const)(
		"%s of a subscription, which matches nothing",
		async (column) => {
			const endpoint = anEndpoint();
			await insertEndpoint(env, endpoint);
			const target = { endpointId: endpoint.id };
			const [subscription, neighbour] = [aSubscription({ target }), aSubscription({ target })];
			for (const record of [subscription, neighbour]) await insertSubscription(env, record);
			await store("subscriptions", subscription.id, column, form);
			expect(await findSubscription(env, subscription.id)).toMatchObject({ unreadable: [column] });
			const ids = buildTable(await loadRoutingTable(env))
				.candidates("src_x", "t")
				.map(({ id }) => id);
			expect(ids).toContain(neighbour.id);
			expect(ids).not.toContain(subscription.id);
			const policy = await loadSettings(env, endpoint.id);
			if (typeof policy !== "object") throw new Error(policy);
			expect(await subscriptionOf(env, policy, subscription.id)).toBe("missing");
			expect(await subscriptionOf(env, policy, neighbour.id)).toMatchObject({ id: neighbour.id });
		},
	);
});

test("members of the policy of retries that are missing take their defaults", async () => {
	const endpoint = anEndpoint();
	await insertEndpoint(env, endpoint);
	await store("endpoints", endpoint.id, "retry", '{"scheduleSeconds":[7],"statuses":"many","jitter":1}');
	expect((await findEndpoint(env, endpoint.id))?.retry).toEqual({ ...DEFAULT_RETRY, scheduleSeconds: [7] });
});

test("an endpoint in a state that only a newer release knows is sent nothing", async () => {
	const endpoint = anEndpoint();
	await insertEndpoint(env, endpoint);
	await store("endpoints", endpoint.id, "status", "draining");
	expect((await findEndpoint(env, endpoint.id))?.status).toBe("paused");
	const { endpoints } = await loadRoutingTable(env);
	expect(endpoints.find(({ id }) => id === endpoint.id)?.status).toBe("paused");
});

test("unchanged subscriptions are not read again, and changed ones are", async () => {
	const target = { latestOf: "ocr" };
	const [same, changed] = [aSubscription({ target }), aSubscription({ target })];
	for (const record of [same, changed]) await insertSubscription(env, record);
	const before = (await loadRoutingTable(env)).subscriptions;
	await updateSubscription(env, changed, { types: ["a"] });
	const after = (await loadRoutingTable(env, before)).subscriptions;
	const find = (list: typeof before, id: string) => list.find((subscription) => subscription.id === id);
	expect(find(after, same.id)).toBe(find(before, same.id));
	expect(find(after, changed.id)).toMatchObject({ types: ["a"], revision: 2 });
});
