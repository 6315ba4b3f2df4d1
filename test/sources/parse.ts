/** Runs a kind's parser by itself, on a request that counts as verified. */
import type { CloudEvent } from "../../src/events/event.ts";
import type { Parsed } from "../../src/sources/kind.ts";
import type { ReadableSource } from "../../src/store/records.ts";
import { settingsOf } from "./kind-settings.ts";
import { makeSource } from "./make-source.ts";
import { parseWith } from "./bind.ts";

export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
export const RECEIVED_AT = "2026-01-02T03:04:05.006Z";
export const FRESH_ID = "11111111-2222-4333-8444-555555555555";

export interface ParseInit {
	/** JSON unless it says otherwise. */
	headers?: Record<string, string>;
	body: string | Uint8Array;
	source?: Partial<ReadableSource>;
}

/** The source is named `publisher-1`. */
export function parseAs(kind: string, { headers, body, source }: ParseInit): Promise<Parsed> {
	return parseWith(kind, {
		source: makeSource({ name: "publisher-1", kind, settings: settingsOf(kind), ...source }),
		headers: new Headers({ "content-type": "application/json", ...headers }),
		body: typeof body === "string" ? new TextEncoder().encode(body) : body,
		now: NOW,
		freshId: FRESH_ID,
	});
}

/** The one event of a request. */
export async function parseOne(kind: string, init: ParseInit): Promise<CloudEvent> {
	const parsed = await parseAs(kind, init);
	if (!parsed.ok) throw new Error(`refused: ${parsed.message}`);
	const [event] = parsed.events;
	if (event === undefined || parsed.events.length > 1) throw new Error(`${parsed.events.length} events`);
	return event;
}
