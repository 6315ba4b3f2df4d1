/** The consumer of the dead-letter queue: what is acknowledged is stored. */
import { env } from "cloudflare:workers";
import {
	createExecutionContext,
	createMessageBatch,
	getQueueResult,
	runInDurableObject,
} from "cloudflare:test";
import { afterEach, describe, expect, test, vi } from "vitest";
import { takeDeadLetters } from "../../src/dead-letters/consumer.ts";
import { KEPT_MS, MAX_LETTERS } from "../../src/dead-letters/dead-letters.ts";
import { deadLetters } from "../../src/objects/clients.ts";
import worker from "../../src/worker.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

let count = 0;

function message(body: unknown, attempts = 1) {
	return { id: `message-${++count}`, timestamp: new Date(1_000), attempts, body };
}

/** What became of a batch. */
async function take(messages: ReturnType<typeof message>[], with_ = env) {
	const batch = createMessageBatch("sluice-events-dlq", messages);
	await takeDeadLetters(batch, with_);
	return getQueueResult(batch, createExecutionContext());
}

async function bodies(): Promise<string[]> {
	const { items } = await deadLetters(env).list({ limit: 100 });
	const letters = await Promise.all(items.map(({ id }) => deadLetters(env).get(id)));
	return letters.map((letter) => letter?.body.text ?? "");
}

/** Bindings whose store fails for messages that hold a word. */
function failingFor(word: string) {
	const stub = {
		keep: async (letters: { body: { text: string } }[]) => {
			if (letters.some(({ body }) => body.text.includes(word))) throw new Error("no room");
			await deadLetters(env).keep(letters as Parameters<ReturnType<typeof deadLetters>["keep"]>[0]);
		},
	};
	const DEAD_LETTERS = { idFromName: () => null, get: () => stub } as unknown as typeof env.DEAD_LETTERS;
	return { ...env, DEAD_LETTERS };
}

describe("a message", () => {
	test("is acknowledged when it is stored, newest first, whatever it holds", async () => {
		const messages = [message("one"), message({ two: 2 }), message(new Uint8Array([0, 255]).buffer)];
		const result = await take(messages);
		expect(result.explicitAcks).toEqual(messages.map(({ id }) => id));
		expect((await bodies()).slice(0, 3)).toEqual(["AP8=", '{"two":2}', "one"]);
	});

	test("that comes twice is stored once", async () => {
		const twice = message("twice");
		await take([twice]);
		await take([twice]);
		expect((await bodies()).filter((body) => body === "twice")).toHaveLength(1);
	});

	test("that cannot be stored comes back, and its neighbours do not", async () => {
		const [good, bad] = [message("good"), message("poisoned")];
		const result = await take([good, bad], failingFor("poison"));
		expect(result.explicitAcks).toEqual([good.id]);
		expect(result.retryMessages).toEqual([{ msgId: bad.id }]);
	});

	test("is put back before its tries are used up, and stays where even that fails", async () => {
		const sent: unknown[] = [];
		const EVENTS_DLQ = { send: async (body: unknown) => void sent.push(body) } as unknown as Queue<string>;
		const tired = message("poisoned", 60);
		const result = await take([tired], { ...failingFor("poison"), EVENTS_DLQ });
		expect({ sent, acks: result.explicitAcks }).toEqual({ sent: ["poisoned"], acks: [tired.id] });
		const closed = { send: () => Promise.reject(new Error("closed")) } as unknown as Queue<string>;
		const again = await take([tired], { ...failingFor("poison"), EVENTS_DLQ: closed });
		expect(again.retryMessages).toEqual([{ msgId: tired.id }]);
	});

	test("of the dead-letter queue is never routed", async () => {
		const batch = createMessageBatch("sluice-events-dlq", [message("by the door")]);
		await worker.queue(batch, env);
		expect((await bodies())[0]).toBe("by the door");
	});
});

function stored(): Promise<{ count: number }> {
	return runInDurableObject(deadLetters(env), (_, { storage }) =>
		storage.sql.exec<{ count: number }>("SELECT count(*) AS count FROM letters").one(),
	);
}

test("the newest are kept, and none for more than thirty days", async () => {
	const now = Date.now();
	await runInDurableObject(deadLetters(env), (_, { storage }) => {
		storage.sql.exec("DELETE FROM letters");
		storage.sql.exec(
			`WITH RECURSIVE more (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < ${MAX_LETTERS})
			 INSERT INTO letters SELECT (? - n) * 1024, 'dead_' || n, 0, '{}', 'text', '' FROM more`,
			now,
		);
	});
	await take([message("newest")]);
	expect(await stored()).toEqual({ count: MAX_LETTERS });
	expect(await deadLetters(env).get(`dead_${MAX_LETTERS}`)).toBeNull();
	vi.spyOn(Date, "now").mockReturnValue(now + KEPT_MS + 60_000);
	await take([message("much later")]);
	expect(await stored()).toEqual({ count: 1 });
});
