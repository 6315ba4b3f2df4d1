/** What the event log keeps of decisions that could not be carried out for want of room. */
import { env } from "cloudflare:workers";
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { expect, test } from "vitest";
import { eventLog } from "../../../src/objects/clients.ts";
import type { Decision } from "../../../src/events/event.ts";
import { eventId, newId } from "../../../src/events/ids.ts";
import type { NewEntry } from "../../../src/events/log/entry.ts";
import { changed, type Refusal } from "../../../src/events/log/refusals.ts";

function decision(name: string): Decision {
	return {
		deliveryId: `dlv_${name}`,
		subscriptionId: `sub_${name}`,
		subscriptionName: name,
		endpointId: "ep_1",
		endpointRef: "ocr@1",
	};
}

function entry(sourceId: string, id: string, names: readonly string[]): NewEntry {
	const attributes = { id, source: "/docs", type: "t" };
	const data = { kind: "json", text: `{"id":"${id}"}` } as const;
	const event = { id: eventId(sourceId, attributes), sourceId, receivedAt: 1, attributes, data };
	return { event, decisions: names.map(decision) };
}

interface Noting {
	noteRefused(refusals: Refusal[], isRefused: boolean): void;
}

/** A log with events of three appends: x and y, z, and one with more decisions than a row holds. */
async function setting() {
	const sourceId = newId("src");
	const log = eventLog(env, sourceId);
	const [x, y, z] = [
		entry(sourceId, "x", ["a", "b"]),
		entry(sourceId, "y", ["c"]),
		entry(sourceId, "z", ["d"]),
	];
	const names = Array.from({ length: 4_000 }, (_, index) => `l${index}`);
	const long = entry(sourceId, "long", names);
	await log.append([x, y]);
	await log.append([z]);
	await log.append([long]);
	const refusedOf = async ({ event }: NewEntry) => {
		const found = await log.get(event.id);
		expect(found?.event).toEqual(event);
		return found?.decisions
			.filter(({ refused }) => refused !== undefined)
			.map(({ deliveryId }) => deliveryId);
	};
	return { log, x, y, z, long, refusedOf };
}

test("is kept for the deliveries that are named and no other, wherever they stand", async () => {
	const { log, x, y, z, long, refusedOf } = await setting();
	await log.noteRefused(
		[
			{ eventId: z.event.id, deliveryIds: ["dlv_d", "dlv_unknown"] },
			{ eventId: x.event.id, deliveryIds: ["dlv_b"] },
			{ eventId: long.event.id, deliveryIds: ["dlv_l7", "dlv_l3999"] },
			{ eventId: eventId("src_x", { source: "/never", id: "seen" }), deliveryIds: ["dlv_a"] },
		],
		true,
	);
	await evictDurableObject(log);
	expect(await refusedOf(x)).toEqual(["dlv_b"]);
	expect(await refusedOf(y)).toEqual([]);
	expect(await refusedOf(z)).toEqual(["dlv_d"]);
	expect(await refusedOf(long)).toEqual(["dlv_l7", "dlv_l3999"]);
	expect(await log.append([x], true)).toMatchObject([
		{ decisions: [{ deliveryId: "dlv_a" }, { deliveryId: "dlv_b", refused: "backlog_full" }] },
	]);
});

test("is one row for each that it changes, none the second time, and can be taken back", async () => {
	const { log, x, y, refusedOf } = await setting();
	const rowsWritten = (isRefused: boolean) =>
		runInDurableObject(log, (instance: unknown, { storage }) => {
			const before = storage.sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n;
			(instance as Noting).noteRefused(
				[
					{ eventId: x.event.id, deliveryIds: ["dlv_a", "dlv_b"] },
					{ eventId: y.event.id, deliveryIds: ["dlv_c"] },
				],
				isRefused,
			);
			return storage.sql.exec<{ n: number }>("SELECT total_changes() AS n").one().n - before;
		});
	expect(await rowsWritten(true)).toBe(1);
	expect(await rowsWritten(true)).toBe(0);
	expect(await refusedOf(x)).toEqual(["dlv_a", "dlv_b"]);
	expect(await rowsWritten(false)).toBe(1);
	expect(await refusedOf(x)).toEqual([]);
	expect(await refusedOf(y)).toEqual([]);
});

test("finds one event behind the window of what it remembers", async () => {
	const { log, x, refusedOf } = await setting();
	await runInDurableObject(log, async (instance: unknown) => {
		const memory = instance as { append(entries: NewEntry[]): Promise<unknown> };
		const sourceId = x.event.sourceId;
		for (let at = 0; at < 100_000; at += 10_000) {
			await memory.append(Array.from({ length: 10_000 }, (_, index) => entry(sourceId, `${at + index}`, [])));
		}
	});
	await log.noteRefused([{ eventId: x.event.id, deliveryIds: ["dlv_a"] }], true);
	expect(await refusedOf(x)).toEqual(["dlv_a"]);
});

test("leaves alone what a newer release has written", () => {
	const ids = new Set(["dlv_a"]);
	expect(changed('{"v":2}', [[0, ids]], true)).toBe('{"v":2}');
	expect(changed("no JSON", [[0, ids]], true)).toBe("no JSON");
	const text = changed('[[{"deliveryId":"dlv_a","more":[1]}]]', [[0, ids]], true);
	expect(JSON.parse(text)).toEqual([[{ deliveryId: "dlv_a", more: [1], refused: "backlog_full" }]]);
});
