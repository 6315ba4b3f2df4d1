/** Two consumers of the queue that have the same messages: every delivery is taken once, and sent once. */
import { env } from "cloudflare:workers";
import { createMessageBatch } from "cloudflare:test";
import fc from "fast-check";
import { afterEach, expect, test, vi } from "vitest";
import type { SluiceEvent } from "../../src/events/event.ts";
import { eventId, newId } from "../../src/events/ids.ts";
import { encodeSegment } from "../../src/events/queue/segment.ts";
import { routeBatch } from "../../src/routing/router.ts";
import { createSetting, model } from "../delivery/dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

function events(type: string, count: number): SluiceEvent[] {
	const sourceId = newId("src");
	return Array.from({ length: count }, (_, number) => {
		const attributes = { id: String(number), source: "/s", type };
		const id = eventId(sourceId, attributes);
		return { id, sourceId, receivedAt: Date.now(), attributes, data: { kind: "json", text: "1" } };
	});
}

test("with the same messages, in any order and at any distance, take and send each delivery once", async () => {
	const consumer = fc.record({ delayMs: fc.nat(12), isReversed: fc.boolean() });
	const scenario = fc.tuple(fc.integer({ min: 1, max: 12 }), consumer, consumer);
	await fc.assert(
		fc.asyncProperty(scenario, async ([count, ...consumers]) => {
			const type = newId("src");
			const setting = await createSetting({ subscription: { types: [type] } });
			const calls = model(() => Response.json({}));
			const bodies = events(type, count).map((event) => encodeSegment([event]));
			await Promise.all(
				consumers.map(async ({ delayMs, isReversed }) => {
					await new Promise((resolve) => setTimeout(resolve, delayMs));
					const messages = bodies.map((body, at) => ({
						id: String(at),
						timestamp: new Date(),
						attempts: 1,
						body,
					}));
					if (isReversed) messages.reverse();
					await routeBatch(createMessageBatch("sluice-events", messages), env);
				}),
			);
			const listed = async () => (await setting.dispatcher.list({ limit: 100 })).items;
			await vi.waitFor(async () => {
				const statuses = (await listed()).map(({ status }) => status);
				expect(statuses).toEqual(Array.from({ length: count }, () => "succeeded"));
			});
			expect(calls.map(({ deliveryId }) => deliveryId).sort()).toEqual(
				(await listed()).map(({ id }) => id).sort(),
			);
			vi.restoreAllMocks();
		}),
		{ numRuns: 15, endOnFailure: true },
	);
});
