/** Runs a kind's parser by itself, on a request that counts as verified. */
import type { CloudEvent } from "../../src/events/event.ts";
import type { Parsed } from "../../src/sources/kind.ts";
import { sourceKinds } from "../../src/sources/registry.ts";
import type { ReadableSource } from "../../src/store/records.ts";
import { makeSource } from "./make-source.ts";

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
	const found = sourceKinds[kind];
	if (found === undefined) throw new Error(`no kind ${kind}`);
	return found.parse({
		source: makeSource({ name: "publisher-1", kind, ...source }),
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
