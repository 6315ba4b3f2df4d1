import { expect, test } from "vitest";
import { readBody } from "../../src/http/read-body.ts";

const CHUNK = new Uint8Array(65_536).fill(0x20);

/** A request of `chunks` chunks that says nothing of its length, and what became of it. */
function stream(chunks: number) {
	const heard = { chunks: 0, isCutOff: false };
	const body = new ReadableStream<Uint8Array>({
		pull(controller) {
			if (heard.chunks === chunks) return controller.close();
			heard.chunks++;
			controller.enqueue(CHUNK);
		},
		cancel() {
			heard.isCutOff = true;
		},
	});
	return { heard, request: new Request("https://sluice.example/in/s", { method: "POST", body }) };
}

test("a body that is too large is read to its end, because a sender that is cut off would not see the response", async () => {
	const { heard, request } = stream(160);
	expect(await readBody(request)).toMatchObject({ status: 413, code: "body_too_large" });
	expect(heard).toEqual({ chunks: 160, isCutOff: false });
});

test("a body without end is cut off", async () => {
	const { heard, request } = stream(Number.POSITIVE_INFINITY);
	expect(await readBody(request)).toMatchObject({ status: 413, code: "body_too_large" });
	expect(heard.isCutOff).toBe(true);
});
