/** Endpoints that are this router, under a name that it has been called by. */
import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { readLineage } from "../../src/events/lineage-header.ts";
import { learnHost } from "../../src/store/own-hosts.ts";
import { createSetting, incoming, whenStatus, whenTried } from "./dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

test("the router does not send to its own paths that accept no events, under any of its names", async () => {
	const fetched = vi.spyOn(globalThis, "fetch");
	await learnHost(env, "http://alias.example.com/in/a", Date.now());
	const setting = await createSetting({ endpoint: { url: "http://alias.example.com/v1/events" } });
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	expect(await whenTried(setting, item.id)).toMatchObject({
		status: "pending",
		attempts: [{ outcome: "error", error: expect.stringContaining("blocked_url: is the router itself") }],
	});
	expect(fetched).not.toHaveBeenCalled();
});

test("it sends to its own sources, with the lineage that they continue", async () => {
	const requests: Request[] = [];
	vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
		requests.push(new Request(input, init));
		return Response.json({ id: "evt_1" }, { status: 202 });
	});
	await learnHost(env, "http://alias.example.com/in/a", Date.now());
	const setting = await createSetting({ endpoint: { url: "http://alias.example.com/in/a" } });
	const item = incoming(setting, { budget: 12 });
	await setting.dispatcher.enqueue([item]);
	await whenStatus(setting, item.id, "succeeded");
	expect(readLineage(env, requests[0]?.headers ?? new Headers(), Date.now())).toEqual({
		hops: 1,
		chain: [setting.subscription.id],
		budget: 12,
		correlationId: item.event.id,
		causationId: item.event.id,
	});
});
