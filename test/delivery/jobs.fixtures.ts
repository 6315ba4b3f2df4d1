/** What the tests of jobs share: an endpoint whose outputs come later, and deliveries that wait for them. */
import type { Completion, ReadableEndpoint, Subscription } from "../../src/store/records.ts";
import { DEFAULT_COMPLETION } from "../../src/store/resources/endpoint-columns.ts";
import { createSetting, incoming, type Setting, whenStatus } from "./dispatcher.fixtures.ts";

export const ORIGIN = "https://router.example.com";
export const replicate = { protocol: "replicate", url: "https://api.example.com", model: "a/b" } as const;

export function createJobSetting(
	endpoint: Partial<ReadableEndpoint>,
	completion: Partial<Completion>,
	subscription: Partial<Subscription> = {},
): Promise<Setting> {
	return createSetting({
		endpoint: { ...endpoint, completion: { ...DEFAULT_COMPLETION, ...completion } },
		subscription,
	});
}

/** Delivers one event, and returns the id of its delivery. */
export async function deliver(setting: Setting): Promise<string> {
	const item = incoming(setting);
	await setting.dispatcher.enqueue([item]);
	return item.id;
}

/** As `deliver`, and waits until the server has accepted the job. */
export async function begun(setting: Setting): Promise<string> {
	const id = await deliver(setting);
	await whenStatus(setting, id, "waiting");
	return id;
}
