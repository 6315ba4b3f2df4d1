/** Deliveries found by what they were answered with, and by their event: in every place where they may stand. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { IncomingEvent } from "../../../../src/delivery/ledger/inbox/incoming.ts";
import type { DeliveryFilters } from "../../../../src/delivery/records.ts";
import type { Attributes } from "../../../../src/events/event.ts";
import {
	createSetting,
	incoming,
	model,
	runAlarm,
	setFull,
	type Setting,
	until,
	whenStatus,
} from "../../dispatcher.fixtures.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

function about(setting: Setting, attributes: Partial<Attributes>): IncomingEvent & { id: string } {
	const item = incoming(setting);
	return { ...item, event: { ...item.event, attributes: { ...item.event.attributes, ...attributes } } };
}

async function found({ dispatcher }: Setting, filters: DeliveryFilters): Promise<string[]> {
	const { items, rest } = await dispatcher.list({ ...filters, limit: 50 });
	expect(rest).toBeNull();
	return items.map(({ id }) => id).sort();
}

const wide = { subject: "scans/1", correlationid: "order-7" };

async function expectFound(setting: Setting, wanted: { id: string; eventId: string }): Promise<void> {
	expect(await found(setting, { subject: "scans/1" })).toEqual([wanted.id]);
	expect(await found(setting, { correlationId: "order-7" })).toEqual([wanted.id]);
	expect(await found(setting, { subject: "scans/1", correlationId: "order-7" })).toEqual([wanted.id]);
	expect(await found(setting, { subject: "scans/1", correlationId: "order-8" })).toEqual([]);
	expect(await found(setting, { subject: "scans" })).toEqual([]);
	expect(await found(setting, { eventId: wanted.eventId })).toEqual([wanted.id]);
}

/** Two deliveries of which the filters name the first. */
async function enqueued(setting: Setting): Promise<{ first: string; second: string; eventId: string }> {
	const [first, second] = [about(setting, wide), about(setting, { subject: "scans/2" })];
	await setting.dispatcher.enqueue([first, second]);
	return { first: first.id, second: second.id, eventId: first.event.id };
}

describe("subject and correlation id find a delivery", () => {
	test("that has not been tried yet", async () => {
		const setting = await createSetting({ endpoint: { status: "paused" } });
		const { first: id, eventId } = await enqueued(setting);
		await expectFound(setting, { id, eventId });
	});

	test("that is under way", async () => {
		const setting = await createSetting();
		let isAnswered = false;
		model(async () => {
			await until(() => isAnswered);
			return Response.json({});
		});
		const { first: id, second, eventId } = await enqueued(setting);
		await whenStatus(setting, id, "in_flight");
		await whenStatus(setting, second, "in_flight");
		await expectFound(setting, { id, eventId });
		isAnswered = true;
		await whenStatus(setting, id, "succeeded");
		await whenStatus(setting, second, "succeeded");
	});

	test("that has succeeded, whose event is not kept", async () => {
		const setting = await createSetting();
		model(() => Response.json({}));
		const { first: id, second, eventId } = await enqueued(setting);
		await whenStatus(setting, id, "succeeded");
		await whenStatus(setting, second, "succeeded");
		await expectFound(setting, { id, eventId });
	});

	test.each([[10], [400_000]])(
		"of an earlier release, whose event is kept, with a payload of %s",
		async (size) => {
			const setting = await createSetting();
			model(() => new Response(null, { status: 422 }));
			const [first, second] = [about(setting, wide), about(setting, { subject: "scans/2" })];
			first.event.data = { kind: "text", text: "x".repeat(size) };
			await setting.dispatcher.enqueue([first, second]);
			await whenStatus(setting, first.id, "dead");
			await whenStatus(setting, second.id, "dead");
			await runInDurableObject(setting.dispatcher, (_, { storage }) => {
				storage.sql.exec("UPDATE deliveries SET subject = NULL, correlation_id = NULL");
			});
			await expectFound(setting, { id: first.id, eventId: first.event.id });
			expect(await found(setting, { correlationId: second.event.id })).toEqual([second.id]);
		},
	);

	test("that there was no room for", async () => {
		const setting = await createSetting();
		await setFull(setting, true);
		const { first: id, eventId } = await enqueued(setting);
		await expectFound(setting, { id, eventId });
		await setFull(setting, false);
	});
});

test("a publisher's event has its own id as correlation id", async () => {
	const setting = await createSetting();
	model(() => Response.json({}));
	const item = about(setting, {});
	const result = about(setting, { correlationid: item.event.id });
	await setting.dispatcher.enqueue([item, result, about(setting, {})]);
	await whenStatus(setting, item.id, "succeeded");
	await whenStatus(setting, result.id, "succeeded");
	expect(await found(setting, { correlationId: item.event.id })).toEqual([item.id, result.id].sort());
});

test("a status code is that of the last attempt", async () => {
	const setting = await createSetting();
	const statuses = [500, 422];
	model(() => new Response(null, { status: statuses.shift() ?? 503 }));
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await vi.waitFor(async () => expect(await found(setting, { statusCode: 500 })).toEqual([item.id]));
	await setting.dispatcher.retry(item.id);
	await whenStatus(setting, item.id, "dead");
	expect(await found(setting, { statusCode: 422 })).toEqual([item.id]);
	expect(await found(setting, { statusCode: 500 })).toEqual([]);
	await runAlarm(setting);
});

test("a later change of a delivery does not change its search columns", async () => {
	const setting = await createSetting();
	model(() => new Response(null, { status: 422 }));
	const { first: id, eventId } = await enqueued(setting);
	await whenStatus(setting, id, "dead");
	vi.restoreAllMocks();
	model(() => Response.json({}));
	await setting.dispatcher.retry(id);
	await whenStatus(setting, id, "succeeded");
	await expectFound(setting, { id, eventId });
});
