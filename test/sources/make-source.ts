/** A source for tests: generic, open to everybody, unless said otherwise. */
import { newId } from "../../src/events/ids.ts";
import type { ReadableSource } from "../../src/store/records.ts";

export function makeSource(changes: Partial<ReadableSource> = {}): ReadableSource {
	const id = newId("src");
	return {
		id,
		name: id.replace("src_", "test-"),
		kind: "generic",
		description: null,
		auth: { type: "none" },
		eventType: null,
		subject: null,
		dedupeKey: null,
		expectEverySeconds: null,
		isTest: false,
		settings: {},
		secrets: [],
		status: "active",
		revision: 1,
		quarantine: null,
		createdAt: 0,
		updatedAt: 0,
		...changes,
	};
}
