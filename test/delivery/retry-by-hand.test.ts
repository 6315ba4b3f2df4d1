/** A FIFO queue drops what it takes for a repetition: an attempt of the schedule is one, a retry by hand is not. */
import { afterEach, expect, test, vi } from "vitest";
import { evictDurableObject } from "cloudflare:test";
import type { AwsSigV4 } from "../../src/store/records.ts";
import {
	createSetting,
	incoming,
	model,
	runAlarm,
	until,
	whenStatus,
	whenTried,
} from "./dispatcher.fixtures.ts";

afterEach(() => vi.restoreAllMocks());

const auth: AwsSigV4 = { type: "aws_sigv4", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-key" };
const url = "https://sqs.eu-central-1.amazonaws.com/123456789012/scans.fifo";

test("attempts of one schedule have one deduplication id, and a retry by hand another", async () => {
	const statuses = [500, 500, 400, 500, 200];
	const calls = model(() => Response.json({ MessageId: "m" }, { status: statuses[calls.length - 1] ?? 200 }));
	const setting = await createSetting({ endpoint: { url, protocol: "sqs", auth } });
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	await whenTried(setting, item.id, 1);
	await setting.dispatcher.retry(item.id);
	await whenTried(setting, item.id, 2);
	// What is stored says it, also to an object that starts again.
	await evictDurableObject(setting.dispatcher);
	const now = Date.now();
	vi.spyOn(Date, "now").mockReturnValue(now + 120_000);
	await runAlarm(setting);
	await until(() => calls.length === 3);
	await whenStatus(setting, item.id, "dead");
	await setting.dispatcher.retry(item.id);
	await whenTried(setting, item.id, 4);
	vi.spyOn(Date, "now").mockReturnValue(now + 240_000);
	await runAlarm(setting);
	await whenStatus(setting, item.id, "succeeded");
	const ids = calls.map(({ body }) => (JSON.parse(body) as Record<string, string>)["MessageDeduplicationId"]);
	expect(ids).toEqual([item.id, `${item.id}-1`, `${item.id}-1`, `${item.id}-3`, `${item.id}-3`]);
});
