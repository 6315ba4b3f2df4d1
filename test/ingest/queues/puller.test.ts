import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, inject, test, vi } from "vitest";
import { MAX_EVENT_BYTES } from "../../../src/events/event.ts";
import { puller } from "../../../src/objects/clients.ts";
import { Puller } from "../../../src/ingest/queues/puller.ts";
import { ask, must, type Page, type Resource } from "../../api/client.ts";

const { url, accessKeyId, secretAccessKey } = inject("sqs");
const SETTINGS = { region: "eu-central-1", access_key_id: accessKeyId };

interface QueueState {
	messages: { id: string; receipts: number }[];
	deleted: string[];
	receives: number;
	waiting: number;
}

let count = 0;
let name = "";
beforeEach(() => {
	name = `pulled-${++count}-${crypto.randomUUID().slice(0, 8)}`;
});
afterEach(async () => {
	// Ends its long poll too, or the test run would wait for it.
	await ask("DELETE", `/v1/sources/${name}`);
});

/** Reads and sets the queue behind the stub; it has the source's name. */
async function queue(changes: object = {}): Promise<QueueState> {
	const response = await fetch(`${url}/control/${name}`, { method: "POST", body: JSON.stringify(changes) });
	return response.json();
}

function createSource(secret = secretAccessKey): Promise<Resource> {
	const settings = { ...SETTINGS, queue_url: `${url}/123456789012/${name}` };
	return must("POST", "/v1/sources", { name, kind: "sqs", settings, secret });
}

async function events(): Promise<Resource[]> {
	return (await must<Page>("GET", `/v1/events?source=${name}&limit=200`)).data;
}

/** What is waited for comes within milliseconds when it comes. */
function eventually<T>(check: () => Promise<T>): Promise<T> {
	return vi.waitFor(check, { interval: 20 });
}

async function readPull(): Promise<Record<string, unknown>> {
	return (await must("GET", `/v1/sources/${name}`))["pull"] as Record<string, unknown>;
}

function messages(from: number, to: number): { id: string; body: string }[] {
	return Array.from({ length: to - from }, (_, index) => ({
		id: `m-${from + index}`,
		body: `{"number":${from + index}}`,
	}));
}

describe("messages", () => {
	test("that were there first and that come later become events, and are deleted then", async () => {
		await queue({ send: messages(0, 25) });
		await createSource();
		await eventually(async () => expect((await queue()).deleted).toHaveLength(25));
		await eventually(async () => expect((await queue()).waiting).toBe(1));
		await queue({ send: messages(25, 26) });
		await eventually(async () => expect((await queue()).deleted).toHaveLength(26));
		const found = await eventually(async () => {
			const found = await events();
			expect(found).toHaveLength(26);
			return found;
		});
		expect(new Set(found.map((event) => event["type"]))).toEqual(new Set(["com.amazonaws.sqs.message"]));
		expect(await readPull()).toEqual({
			status: "running",
			last_error: null,
			last_message_at: expect.stringMatching(/Z$/),
		});
	});

	test("whose deletion fails are received again and create nothing new", async () => {
		await queue({ send: messages(0, 3), failDeletes: 3 });
		await createSource();
		await eventually(async () =>
			expect((await queue()).messages.map(({ receipts }) => receipts)).toEqual([1, 1, 1]),
		);
		await queue({ showAgain: true });
		await eventually(async () => expect((await queue()).deleted).toHaveLength(3));
		await queue({ send: messages(3, 4) });
		await eventually(async () => expect(await events()).toHaveLength(4));
	});

	test.each([
		["cannot be read", null],
		["are larger than an event may be", "x".repeat(MAX_EVENT_BYTES + 1)],
	])("that %s stay for the queue's redrive policy, and block no others", async (_what, body) => {
		const poison = { id: "poison", body };
		await queue({ send: [...messages(0, 1), poison, ...messages(1, 2)] });
		await createSource();
		await eventually(async () => expect((await queue()).deleted).toEqual(["m-0", "m-1"]));
		expect((await queue()).messages.map(({ id }) => id)).toEqual(["poison"]);
	});
});

describe("a source", () => {
	test("that is missing from the database is looked up again, and polled when it is back", async () => {
		const { id } = await createSource();
		await eventually(async () => expect((await queue()).waiting).toBe(1));
		const [found] = await env.DB.batch<Record<string, string | number | null>>([
			env.DB.prepare("SELECT * FROM sources WHERE id = ?").bind(id),
			env.DB.prepare("DELETE FROM sources WHERE id = ?").bind(id),
		]);
		const row = found?.results[0] ?? {};
		const stub = puller(env, id);
		await stub.refresh(id);
		await eventually(async () => {
			expect(await stub.status(id)).toMatchObject({
				status: "failing",
				lastError: expect.stringContaining("missing from the database"),
			});
		});
		await runInDurableObject(stub, async (_, { storage }) => expect(await storage.getAlarm()).not.toBeNull());
		await env.DB.prepare(
			`INSERT INTO sources (${Object.keys(row).join(", ")}) VALUES (${Object.keys(row)
				.map(() => "?")
				.join(", ")})`,
		)
			.bind(...Object.values(row))
			.run();
		await queue({ send: messages(0, 1) });
		await eventually(async () => expect((await queue()).deleted).toEqual(["m-0"]));
	});

	test("that is paused or deleted is not polled any more, and polled again once resumed", async () => {
		await createSource();
		await eventually(async () => expect((await queue()).waiting).toBe(1));
		await must("POST", `/v1/sources/${name}/pause`);
		await eventually(async () => expect(await readPull()).toMatchObject({ status: "stopped" }));
		expect((await queue({ send: messages(0, 1) })).waiting).toBe(0);
		await must("POST", `/v1/sources/${name}/resume`);
		await eventually(async () => expect((await queue()).deleted).toEqual(["m-0"]));
		await eventually(async () => expect((await queue()).waiting).toBe(1));
		await must("DELETE", `/v1/sources/${name}`);
		await eventually(async () => expect((await queue()).waiting).toBe(0));
		const { receives } = await queue({ send: messages(1, 2) });
		const { id } = await createSource();
		expect(id).toMatch(/^src_/);
		await eventually(async () => expect((await queue()).deleted).toEqual(["m-0", "m-1"]));
		expect(receives).toBeGreaterThan(1);
	});

	test("a new object in its place has its state and continues", async () => {
		await queue({ failure: { status: 500, type: "InternalFailure", message: "as the test says" } });
		const { id } = await createSource();
		await eventually(async () => expect(await readPull()).toMatchObject({ status: "failing" }));
		// As the platform makes it after an eviction: over the same storage.
		const known = await runInDurableObject(puller(env, id), (_, context) =>
			new Puller(context, env).status(id),
		);
		expect(known).toMatchObject({ status: "failing", lastError: expect.stringContaining("InternalFailure") });
		await queue({ failure: null, send: messages(0, 1) });
		await runInDurableObject(puller(env, id), (_, context) => context.storage.setAlarm(Date.now()));
		await eventually(async () => expect((await queue()).deleted).toEqual(["m-0"]));
	});

	test("an alarm is set while it waits, so that being lost in the middle ends nothing", async () => {
		const { id } = await createSource();
		await eventually(async () => expect((await queue()).waiting).toBe(1));
		const alarm = await runInDurableObject(puller(env, id), (_, { storage }) => storage.getAlarm());
		expect(alarm).toBeGreaterThan(Date.now());
	});

	test("an alarm is set before the source is read, and none stays when there is nothing to ask", async () => {
		const { id } = await createSource();
		await eventually(async () => expect((await queue()).waiting).toBe(1));
		const alarms: Promise<number | null>[] = [];
		await must("POST", `/v1/sources/${name}/pause`);
		await eventually(async () => expect(await readPull()).toMatchObject({ status: "stopped" }));
		await runInDurableObject(puller(env, id), async (_, context) => {
			const prepare = (sql: string): D1PreparedStatement => {
				alarms.push(context.storage.getAlarm());
				return env.DB.prepare(sql);
			};
			const DB: Pick<D1Database, "prepare" | "batch"> = { prepare, batch: env.DB.batch.bind(env.DB) };
			await new Puller(context, { ...env, DB: DB as D1Database }).alarm();
			expect(await context.storage.getAlarm()).toBeNull();
		});
		expect(await alarms[0]).toBeGreaterThan(Date.now());
	});
});

describe("failures are seen in the source", () => {
	test("a revoked key, until another is given", async () => {
		await queue({ send: messages(0, 1) });
		await createSource("an0ther/Secret0AccessKey0000000000000000");
		await eventually(async () =>
			expect(await readPull()).toEqual({
				status: "failing",
				last_error: "ReceiveMessage: 403 SignatureDoesNotMatch: The signatures do not match.",
				last_message_at: null,
			}),
		);
		expect((await queue()).deleted).toEqual([]);
		// A key of AWS is an id and a secret, which change together: rotating the secret alone is refused.
		const rotation = await ask("POST", `/v1/sources/${name}/secret/rotate`, { secret: secretAccessKey });
		expect(rotation).toMatchObject({ status: 409, body: { code: "rotate_by_patch" } });
		await must("PATCH", `/v1/sources/${name}`, { secret: secretAccessKey });
		await eventually(async () => expect((await queue()).deleted).toEqual(["m-0"]));
		await eventually(async () =>
			expect(await readPull()).toMatchObject({ status: "running", last_error: null }),
		);
	});

	test.each([
		["a queue that is gone", 400, "QueueDoesNotExist", "the test says so", ": the test says so"],
		["a failure that says no more than its name", 400, "RequestThrottled", null, ""],
	])("%s", async (_what, status, type, message, shown) => {
		await queue({ failure: { status, type, message } });
		await createSource();
		await eventually(async () =>
			expect(await readPull()).toMatchObject({
				status: "failing",
				last_error: `ReceiveMessage: ${status} ${type}${shown}`,
			}),
		);
	});
});
