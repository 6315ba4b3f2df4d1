/** Dead letters through the API, by way of the real queues: read, sent once more, deleted. */
import { env } from "cloudflare:workers";
import { expect, test, vi } from "vitest";
import type { SluiceEvent } from "../../../src/events/event.ts";
import { eventId } from "../../../src/events/ids.ts";
import { encodeSegment } from "../../../src/events/queue/segment.ts";
import { type Resource, ask, must, type Page } from "../client.ts";

let made = 0;

function anEvent(): SluiceEvent {
	const attributes = { id: `dead-${++made}`, source: "/t", type: "dead.letter" };
	const id = eventId("src_api", attributes);
	return { id, sourceId: "src_api", receivedAt: Date.now(), attributes, data: { kind: "json", text: "[1]" } };
}

async function all(): Promise<Resource[]> {
	return (await must<Page>("GET", "/v1/dead-letters")).data;
}

async function audited(id: string): Promise<Resource[]> {
	return (await must<Page>("GET", `/v1/audit?resource=${id}`)).data;
}

/** Waits until the queue has handed it to the store. */
async function whenKept(is: (letter: Resource) => boolean): Promise<Resource> {
	return vi.waitFor(async () => {
		const found = (await all()).find(is);
		if (found === undefined) throw new Error("it has not come yet");
		return found;
	});
}

test("a dead letter that can be routed now is sent again, and deleted when the queue has accepted it", async () => {
	const event = anEvent();
	const body = encodeSegment([event]);
	await env.EVENTS_DLQ.send(body, { contentType: "text" });
	const letter = await whenKept(({ event_ids: ids }) => (ids as string[]).includes(event.id));
	expect(letter).toEqual({
		id: expect.stringMatching(/^dead_/),
		source: "api",
		source_id: "src_api",
		event_ids: [event.id],
		event_count: 1,
		error: { code: "routing_failed", message: expect.any(String) },
		queued_at: expect.stringMatching(/Z$/),
		received_at: expect.stringMatching(/Z$/),
	});
	expect(await must("GET", `/v1/dead-letters/${letter.id}`)).toEqual({ ...letter, body_type: "text", body });
	expect(await ask("POST", `/v1/dead-letters/${letter.id}/retry`)).toMatchObject({
		status: 202,
		body: letter,
	});
	expect(await audited(letter.id)).toMatchObject([
		{ action: "retry", resource: "dead_letter", before: letter },
	]);
	await vi.waitFor(async () => expect((await ask("GET", `/v1/events/${event.id}`)).status).toBe(200));
	expect((await ask("GET", `/v1/dead-letters/${letter.id}`)).body).toMatchObject({
		code: "dead_letter_not_found",
	});
});

test("a message that cannot be read is shown, paged and deleted", async () => {
	await env.EVENTS_DLQ.sendBatch(
		["nothing 1", "nothing 2", "nothing 3"].map((body) => ({ body, contentType: "text" as const })),
	);
	await vi.waitFor(async () =>
		expect((await all()).filter(({ error }) => (error as Resource)["code"] === "unreadable")).toHaveLength(3),
	);
	const listed = (await all()).map(({ id }) => id);
	const paged: string[] = [];
	for (let cursor: string | null = ""; cursor !== null;) {
		const page: Page = await must("GET", `/v1/dead-letters?limit=1${cursor && `&cursor=${cursor}`}`);
		paged.push(...page.data.map(({ id }) => id));
		cursor = page.next_cursor;
	}
	expect(paged).toEqual(listed);
	for (const id of listed) {
		expect((await ask("DELETE", `/v1/dead-letters/${id}`)).status).toBe(204);
		expect(await audited(id)).toMatchObject([{ action: "delete", before: { id }, after: null }]);
		expect((await ask("DELETE", `/v1/dead-letters/${id}`)).status).toBe(404);
		expect((await ask("POST", `/v1/dead-letters/${id}/retry`)).status).toBe(404);
	}
	expect(await all()).toEqual([]);
});

test("?cursor of another list is refused", async () => {
	expect(await ask("GET", "/v1/dead-letters?cursor=x")).toMatchObject({ status: 400 });
	expect(await ask("GET", "/v1/dead-letters?status=dead")).toMatchObject({ status: 400 });
});

test.each([
	["POST", "/retry"],
	["DELETE", ""],
])("%s …%s while the database fails changes nothing: the letter is still there", async (method, action) => {
	const sourceId = "src_0123456789";
	const event = { ...anEvent(), sourceId };
	await env.EVENTS_DLQ.send(encodeSegment([event]), { contentType: "text" });
	const { id } = await whenKept(({ event_ids: ids }) => (ids as string[]).includes(event.id));
	const prepare = env.DB.prepare.bind(env.DB);
	const down = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
		if (sql.includes("FROM sources")) throw new Error("D1 is down");
		return prepare(sql);
	});
	expect((await ask(method, `/v1/dead-letters/${id}${action}`)).status).toBe(500);
	down.mockRestore();
	expect((await ask("GET", `/v1/dead-letters/${id}`)).status).toBe(200);
	await must("DELETE", `/v1/dead-letters/${id}`);
});
