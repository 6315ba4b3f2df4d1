import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { SluiceEvent } from "../../../src/events/event.ts";
import { eventId, newId } from "../../../src/events/ids.ts";
import { decodeSegment } from "../../../src/events/queue/segment.ts";
import { Watch } from "../../../src/ingest/silence/watch.ts";
import { eventLog, watch } from "../../../src/objects/clients.ts";
import { deleteSubscription, insertSubscription } from "../../../src/store/resources/subscriptions.ts";
import { ask, must, type Resource } from "../../api/client.ts";
import { aSubscription } from "../../store/records.ts";

let told: SluiceEvent[] = [];
let isQueueDown = false;
let listener: string | null = null;

async function listen(): Promise<void> {
	const id = newId("sub");
	await insertSubscription(
		env,
		aSubscription({ id, name: id, sourceId: "src_sluice", target: { latestOf: "none" } }),
	);
	listener = id;
}

async function createSource(): Promise<Resource> {
	const source = await must("POST", "/v1/sources", {
		name: newId("src").slice(4),
		expect_every_seconds: 3_600,
	});
	await settled(source);
	return source;
}

/** Waits until the watch has looked at what it was told, so that the alarm of that does not come in between. */
async function settled({ id }: Resource): Promise<void> {
	await vi.waitFor(async () => {
		const at = await runInDurableObject(watch(env, id), (_, { storage }) => storage.getAlarm());
		if (at === null || at < Date.now() + 10_000) throw new Error(`the alarm is at ${at}`);
	});
}

/** Lets the watch look, so many seconds from now. */
async function look({ id }: Resource, seconds: number): Promise<void> {
	const now = Date.now() + seconds * 1000;
	const clock = vi.spyOn(Date, "now").mockImplementation(() => now);
	await runDurableObjectAlarm(watch(env, id));
	clock.mockRestore();
}

/** An event of the source comes, so many seconds from now. */
async function send({ id }: Resource, seconds: number): Promise<void> {
	const now = Date.now() + seconds * 1000;
	const clock = vi.spyOn(Date, "now").mockImplementation(() => now);
	const attributes = { id: String(now), source: "/s", type: "t" };
	const sourceId = id;
	const event = { id: eventId(sourceId, attributes), sourceId, receivedAt: now, attributes, data: null };
	await eventLog(env, sourceId).append([{ event, decisions: [] }], true);
	clock.mockRestore();
}

/** When the watch looks again, once it has looked. */
async function nextLook({ id }: Resource): Promise<number | null> {
	return runInDurableObject(watch(env, id), async (instance, { storage }) => {
		if (!(instance instanceof Watch)) throw new Error("this is no watch");
		await storage.deleteAlarm();
		await instance.alarm();
		return storage.getAlarm();
	});
}

function types(source: Resource): string[] {
	return told
		.filter(({ attributes }) => attributes.subject === source["name"])
		.map(({ attributes }) => attributes.type);
}

beforeEach(() => {
	told = [];
	isQueueDown = false;
	vi.spyOn(env.EVENTS, "send").mockImplementation(async (message) => {
		if (isQueueDown) throw new Error("the queue is down");
		told.push(...decodeSegment(message));
		return {} as Awaited<ReturnType<typeof env.EVENTS.send>>;
	});
});
afterEach(async () => {
	vi.restoreAllMocks();
	if (listener !== null) await deleteSubscription(env, listener);
	listener = null;
});

describe("a source of which something is expected", () => {
	test("is reported as silent once, and as recovered with the next event", async () => {
		await listen();
		const source = await createSource();
		await send(source, 10);
		await look(source, 100);
		expect(types(source)).toEqual([]);
		await look(source, 3_700);
		await look(source, 4_100);
		expect(types(source)).toEqual(["sluice.source.silent"]);
		expect(JSON.parse(told[0]?.data?.kind === "json" ? told[0].data.text : "")).toMatchObject({
			source: source["name"],
			source_id: source.id,
			expect_every_seconds: 3_600,
			last_event_at: expect.stringMatching(/Z$/),
		});
		await send(source, 5_000);
		await look(source, 5_100);
		expect(types(source)).toEqual(["sluice.source.silent", "sluice.source.recovered"]);
	});

	test("is reported later if the queue refuses the event", async () => {
		await listen();
		const source = await createSource();
		isQueueDown = true;
		await look(source, 3_700);
		isQueueDown = false;
		await look(source, 3_800);
		expect(types(source)).toEqual(["sluice.source.silent"]);
	});

	test("is not reported without a subscription, and checked as soon as there is one", async () => {
		const source = await createSource();
		await look(source, 3_700);
		expect(told).toEqual([]);
		await listen();
		await look(source, 7_400);
		expect(types(source)).toEqual(["sluice.source.silent"]);
	});

	test("is not watched while it is paused, nor when nothing is expected any more, nor when it is deleted", async () => {
		await listen();
		const source = await createSource();
		await must("POST", `/v1/sources/${source.id}/pause`);
		expect(await nextLook(source)).toBeNull();
		await must("POST", `/v1/sources/${source.id}/resume`);
		await settled(source);
		await must("PATCH", `/v1/sources/${source.id}`, { expect_every_seconds: null });
		expect(await nextLook(source)).toBeNull();
		await must("PATCH", `/v1/sources/${source.id}`, { expect_every_seconds: 60 });
		await settled(source);
		await ask("DELETE", `/v1/sources/${source.id}`);
		expect(await nextLook(source)).toBeNull();
		expect(types(source)).toEqual([]);
	});
});

test("a source of which nothing is expected has no watch", async () => {
	const get = vi.spyOn(env.WATCH, "get");
	const source = await must("POST", "/v1/sources", { name: newId("src").slice(4) });
	await ask("DELETE", `/v1/sources/${source.id}`);
	expect(get).not.toHaveBeenCalled();
});
