import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { afterEach, expect, test, vi } from "vitest";
import { receive } from "../../src/ingest/receive.ts";
import { FAILING_FROM, VerificationFailures } from "../../src/ingest/verification-failures.ts";
import { newId } from "../../src/events/ids.ts";
import { WINDOW_MS } from "../../src/operations/windows.ts";
import { insertSource } from "../../src/store/resources/sources.ts";
import { deleteSubscription, insertSubscription } from "../../src/store/resources/subscriptions.ts";
import { type Captured, captureQueue } from "../sources/capture.ts";
import { makeSource } from "../sources/make-source.ts";
import { aSubscription } from "../store/records.ts";

const NOW = Math.ceil(Date.now() / WINDOW_MS) * WINDOW_MS;

afterEach(() => {
	vi.restoreAllMocks();
});

test("refusals of a source are counted per window, and a few of them are not reported", () => {
	const failures = new VerificationFailures();
	const counts = Array.from({ length: FAILING_FROM + 1 }, () => failures.refused("src_1", NOW));
	expect(counts).toEqual([null, null, null, null, 5, 6]);
	expect(failures.refused("src_2", NOW)).toBeNull();
	expect(failures.refused("src_1", NOW + WINDOW_MS)).toBeNull();
});

test("sources that are remembered are bounded", () => {
	const failures = new VerificationFailures();
	for (let n = 1; n < FAILING_FROM; n++) failures.refused("src_1", NOW);
	for (let n = 0; n < 1_000; n++) failures.refused(`other ${n}`, NOW);
	expect(failures.refused("src_1", NOW)).toBeNull();
});

async function refusals(queue: Captured, name: string, count: number): Promise<void> {
	for (let n = 0; n < count; n++) {
		const ctx = createExecutionContext();
		const request = new Request(`https://sluice.example/in/${name}`, {
			method: "POST",
			body: "{}",
			headers: { "content-type": "application/json", authorization: "Bearer wrong-secret" },
		});
		expect((await receive(request, queue.env, ctx, name)).status).toBe(401);
		await waitOnExecutionContext(ctx);
	}
}

test("a source that refuses many requests is reported once, if there is a subscription", async () => {
	// All of it in one window.
	vi.spyOn(Date, "now").mockImplementation(() => NOW);
	const queue = captureQueue();
	const secrets = [{ value: "right-secret", createdAt: 0, expiresAt: null }];
	const [deaf, source] = [1, 2].map(() => makeSource({ auth: { type: "bearer" }, secrets }));
	if (deaf === undefined || source === undefined) throw new Error("two were made");
	for (const one of [deaf, source]) await insertSource(queue.env, one);
	await refusals(queue, deaf.name, 7);
	expect(queue.messages).toEqual([]);

	const id = newId("sub");
	const target = { latestOf: "none" };
	await insertSubscription(queue.env, aSubscription({ id, name: id, sourceId: "src_sluice", target }));
	await refusals(queue, source.name, 4);
	expect(queue.messages).toEqual([]);
	await refusals(queue, source.name, 3);
	const [event, ...more] = await queue.events();
	expect(more).toEqual([]);
	expect(event?.attributes).toMatchObject({
		type: "sluice.source.verification_failing",
		source: "/sluice",
		subject: source.name,
	});
	expect(event?.data?.kind === "json" && JSON.parse(event.data.text)).toEqual({
		source_id: source.id,
		source: source.name,
		refusals: 5,
		suppressed: 0,
	});
	await deleteSubscription(queue.env, id);
});
