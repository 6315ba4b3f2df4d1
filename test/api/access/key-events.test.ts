import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { decodeSegment } from "../../../src/events/queue/segment.ts";
import { newId } from "../../../src/events/ids.ts";
import { deleteSubscription, insertSubscription } from "../../../src/store/resources/subscriptions.ts";
import { aSubscription } from "../../store/records.ts";
import { must } from "../client.ts";
import { makeKey } from "./keys.ts";

afterEach(() => {
	vi.restoreAllMocks();
});

test("creating or deleting a key is reported without the key, and only if there is a subscription", async () => {
	const send = vi.spyOn(env.EVENTS, "send");
	send.mockResolvedValue({} as Awaited<ReturnType<typeof env.EVENTS.send>>);
	await makeKey({ name: "before", role: "viewer" });
	const id = newId("sub");
	const target = { latestOf: "none" };
	await insertSubscription(env, aSubscription({ id, name: id, sourceId: "src_sluice", target }));
	const { key, id: keyId } = await makeKey({ name: "ci", role: "viewer" });
	await must("DELETE", "/v1/keys/ci");
	await deleteSubscription(env, id);

	const told = await vi.waitFor(() => {
		const told = send.mock.calls.flatMap(([message]) => decodeSegment(message));
		expect(told).toHaveLength(2);
		return told;
	});
	expect(told.map(({ attributes: { type, subject } }) => [type, subject])).toEqual([
		["sluice.key.created", "ci"],
		["sluice.key.deleted", "ci"],
	]);
	const [created] = told;
	expect(created?.data?.kind === "json" && JSON.parse(created.data.text)).toEqual({
		key_id: keyId,
		key: "ci",
		role: "viewer",
		actor_id: "root",
		actor: "root",
		suppressed: 0,
	});
	expect(JSON.stringify(told)).not.toContain(key);
});
