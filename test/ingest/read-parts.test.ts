import { afterEach, describe, expect, test } from "vitest";
import { Room, mayBeLarge, readParts as readPartsInto } from "../../src/ingest/read-parts.ts";
import { PROVEN, NOT_PROVEN } from "../../src/sources/proof/verified.ts";
import { wantedOf } from "../../src/sources/debezium/too-large.ts";

const MB = 1_048_576;
const WANTED = wantedOf("id");

const rooms: Room[] = [];
afterEach(() => {
	for (const room of rooms.splice(0)) room.leave();
});

/** In a room of its own, left with the test or by `leaveAll`. */
const readParts: (...given: [Request, typeof WANTED, ReturnType<typeof verification>]) => Reading = (
	...given
) => {
	const room = new Room();
	rooms.push(room);
	return readPartsInto(...given, room);
};
type Reading = ReturnType<typeof readPartsInto>;

function leaveAll(): void {
	for (const room of rooms) room.leave();
}

interface Sending {
	request: Request;
	send: (text: string) => Promise<void>;
	end: () => Promise<void>;
	abort: () => Promise<void>;
}

/** A request whose body comes in as the test goes on. */
function sending(headers: Record<string, string> = {}): Sending {
	const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
	const writer = writable.getWriter();
	return {
		request: new Request("https://x.example/", { method: "POST", headers, body: readable }),
		send: (text) => writer.write(new TextEncoder().encode(text)),
		end: () => writer.close(),
		abort: () => writer.abort(new Error("gone")),
	};
}

function verification(isProven = true) {
	const heard: Uint8Array[] = [];
	return {
		heard,
		update: (chunk: Uint8Array) => void heard.push(chunk),
		end: () => (isProven ? PROVEN : NOT_PROVEN),
	};
}

/** Records of a megabyte each, but for some bytes, as a list that goes on. */
const records = (count: number) => `{"v":"${"x".repeat(MB - 100)}"},`.repeat(count);

test("a body below the limit stays unchanged, and its reader has to verify it", async () => {
	const { request, send, end } = sending();
	expect(mayBeLarge(request)).toBe(true);
	const reading = readParts(request, WANTED, verification(false));
	await send(' {"a"');
	await send(": 1} ");
	await end();
	expect(await reading).toEqual({ ok: true, body: Buffer.from(' {"a": 1} ') });
});

test("parts are below the limit, and know their position in the whole", async () => {
	const { request, send, end } = sending();
	const reading = readParts(request, WANTED, verification());
	await send(`[${records(1)}${records(1)}{"a":1},{"b":2},`);
	await send(`{"id":7,"v":"${"x".repeat(MB)}`);
	await send(`${"x".repeat(MB)}"},{"c":3}]`);
	await end();
	const read = await reading;
	if (!read.ok || !("parts" in read)) throw new Error("there are no parts");
	expect(read.parts.map(({ firstIndex }) => firstIndex)).toEqual([0, 1, 4, 5]);
	for (const { body, isList } of read.parts) {
		expect(body.byteLength).toBeLessThanOrEqual(MB);
		expect(isList).toBe(true);
	}
	const [, second, third, fourth] = read.parts.map(({ body }) => Buffer.from(body).toString());
	expect(second).toMatch(/\},\{"a":1\},\{"b":2\}\]$/);
	expect([third, fourth]).toEqual(['{"id":7}', '[{"c":3}]']);
	expect(read.parts[2]?.abridged?.size).toBe(2 * MB + '{"id":7,"v":""}'.length);
});

test("an unverified body is refused once it was read completely", async () => {
	const { request, send, end } = sending();
	const proof = verification(false);
	const reading = readParts(request, WANTED, proof);
	await send(`[${records(2)}`);
	await send("{}]");
	await end();
	expect(await reading).toMatchObject({ ok: false, status: 401 });
	expect(Buffer.concat(proof.heard).byteLength).toBe(records(2).length + "[{}]".length);
});

describe("the room for all requests at once", () => {
	test("is bounded, and free again when they have ended", async () => {
		const three = [sending(), sending(), sending()];
		const reading = three.map(({ request }) => readParts(request, WANTED, verification()));
		for (const { send } of three) await send(`[${records(12)}`);
		for (const { send, end } of three) {
			await send("{}]");
			await end();
		}
		const [first, second, third] = await Promise.all(reading);
		expect([first?.ok, second?.ok]).toEqual([true, true]);
		expect(third).toMatchObject({
			ok: false,
			status: 503,
			code: "too_busy",
			headers: { "retry-after": "1" },
		});
		leaveAll();
		await expectRoom();
	});

	test("is taken until the events are in the queue, not only while the body is read", async () => {
		for (let count = 0; count < 2; count++) {
			const { request, send, end } = sending();
			const reading = readParts(request, WANTED, verification());
			await send(`[${records(15)}{}]`);
			await end();
			expect(await reading).toMatchObject({ ok: true });
		}
		const { request, send, end } = sending();
		const third = readParts(request, WANTED, verification());
		await send(`[${records(3)}{}]`);
		await end();
		expect(await third).toMatchObject({ ok: false, code: "too_busy" });
	});

	test("is free again when a connection ends too early", async () => {
		for (let count = 0; count < 3; count++) {
			const { request, send, abort } = sending();
			const reading = readParts(request, WANTED, verification());
			await send(`[${records(14)}`);
			await abort();
			expect(await reading).toMatchObject({ ok: false, status: 400, code: "body_incomplete" });
			leaveAll();
		}
		await expectRoom();
	});
});

async function expectRoom(): Promise<void> {
	const { request, send, end } = sending();
	const reading = readParts(request, WANTED, verification());
	await send(`[${records(15)}{}]`);
	await end();
	expect(await reading).toMatchObject({ ok: true });
}

test("above 100 MB nothing is heard any more", async () => {
	const { request, send } = sending();
	const reading = readParts(request, WANTED, verification());
	const megabyte = "x".repeat(MB);
	await send('{"v":"');
	const sent = (async () => {
		for (let count = 0; count < 101; count++) await send(megabyte);
	})();
	expect(await reading).toMatchObject({ ok: false, status: 413, code: "body_too_large" });
	await sent.catch(() => undefined);
});

test("one that does not end in time is refused, and its memory is free for others", async () => {
	const { request, send } = sending();
	const room = new Room();
	rooms.push(room);
	const reading = readPartsInto(request, WANTED, verification(), room, 50);
	await send(`[${records(3)}`);
	expect(await reading).toMatchObject({ ok: false, status: 503, code: "too_slow" });
});
