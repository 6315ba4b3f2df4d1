/**
 * The event of a preview: one from the logs, or one given in the request, as it would be after
 * ingest.
 */
import type { Env } from "../../env.ts";
import { stripRouterAttributes } from "../../events/cloudevents/attributes.ts";
import { decodeCloudEvents, STRUCTURED_TYPE } from "../../events/cloudevents/cloudevents.ts";
import type { CloudEvent, SluiceEvent } from "../../events/event.ts";
import { eventId } from "../../events/ids.ts";
import { testSourceAttributes } from "../../events/test-mark.ts";
import { refuseStructure } from "../../events/json/structure.ts";
import { memberTexts } from "../../events/json/text.ts";
import { type Refusal, toProblem } from "../../http/refusal.ts";
import { readEntry } from "../events/entry.ts";
import { findSource } from "../../store/resources/sources.ts";
import { BUILTIN_SOURCE_IDS, findSourceRef, readNamesOfSources } from "../fields/source-refs.ts";
import { formatTime } from "../fields/times.ts";
import { invalidRequest } from "../http/body.ts";
import type { PreviewInput } from "./preview-fields.ts";

/** The assumed source of an event without one, for a subscription to every source. */
const API_SOURCE_ID = "src_api";

export interface Previewed {
	event: SluiceEvent;
	/** The source is assumed so that the subscription listens to it. */
	isSourceAssumed: boolean;
}

/**
 * `text` is the JSON of the whole request, so that the data keeps its spelling. `sourceId`: the
 * source of the subscription. Throws 404 `event_not_found`, 422 for an unknown source, and what the
 * codec refuses, with its path under `event`.
 */
export async function previewedEvent(
	env: Env,
	input: PreviewInput,
	text: string,
	sourceId: string | null,
): Promise<Previewed> {
	if (input.event_id !== undefined) {
		return { event: (await readEntry(env, input.event_id)).event, isSourceAssumed: false };
	}
	const named = input.event_source === undefined ? null : await findSourceRef(env, input.event_source);
	if (input.event_source !== undefined && named === null) {
		throw invalidRequest([{ path: "event_source", message: `there is no source ${input.event_source}` }]);
	}
	const now = Date.now();
	const from = named?.id ?? sourceId ?? API_SOURCE_ID;
	const name = (await readNamesOfSources(env, [from])).get(from) ?? from;
	const read = decode(memberTexts(text).get("event") ?? "{}", {
		specversion: "1.0",
		id: crypto.randomUUID(),
		source: `/sources/${name}`,
		time: formatTime(now),
	});
	if (!read.ok) throw toProblem({ ...read, path: read.path === undefined ? "event" : `event.${read.path}` });
	const { attributes: given, data } = stripRouterAttributes(read.event);
	const isTest = BUILTIN_SOURCE_IDS.includes(from) ? false : ((await findSource(env, from))?.isTest ?? false);
	const attributes = { ...given, ...testSourceAttributes(isTest) };
	return {
		event: { id: eventId(from, attributes), sourceId: from, receivedAt: now, attributes, data },
		isSourceAssumed: named === null && sourceId !== null,
	};
}

/**
 * Read like a structured request, with `defaults` for missing attributes: by the same rules, and
 * with the text of its data.
 */
function decode(text: string, defaults: Record<string, unknown>): { ok: true; event: CloudEvent } | Refusal {
	const wrong = refuseStructure(text);
	if (wrong !== null) return wrong;
	const members = memberTexts(text);
	for (const [name, value] of Object.entries(defaults)) {
		if (!members.has(name)) members.set(name, JSON.stringify(value));
	}
	const completed = Array.from(members, ([name, member]) => `${JSON.stringify(name)}:${member}`);
	const headers = new Headers({ "content-type": STRUCTURED_TYPE });
	const decoded = decodeCloudEvents(headers, Buffer.from(`{${completed.join(",")}}`));
	if (!decoded.ok) return decoded;
	const [event] = decoded.events;
	if (event === undefined) throw new Error("a structured event is one event");
	return { ok: true, event };
}
