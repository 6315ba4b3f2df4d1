/** Reads a body with one JSON object or a list of them: each parsed, with its exact text. */
import { MAX_BATCH_EVENTS } from "../../events/event.ts";
import { elementTexts } from "../../events/json/text.ts";
import { readJson } from "../../events/payload.ts";
import { type Refusal, refuse } from "../../http/refusal.ts";
import { refuseStructure } from "../../events/json/structure.ts";
import { type JsonObject, isObject } from "./json-body.ts";

export type JsonRecords = { ok: true; records: JsonObject[]; isList: boolean } | Refusal;

/**
 * Refuses like `readJsonObject`, and with 413 `too_many_events`. One invalid record refuses the whole list.
 * `firstIndex`: the index of the first record if the list is part of a longer one.
 */
export function readJsonRecords(body: Uint8Array, firstIndex = 0): JsonRecords {
	const parsed = readJson(body);
	if (!parsed.ok) return parsed;
	const isList = Array.isArray(parsed.value);
	const values: unknown[] = isList ? (parsed.value as unknown[]) : [parsed.value];
	if (values.length === 0) return refuse(400, "invalid_payload", "The list is empty.");
	if (values.length > MAX_BATCH_EVENTS) {
		const message = `A request may contain at most ${MAX_BATCH_EVENTS} events, but has ${values.length}.`;
		return refuse(413, "too_many_events", message);
	}
	const texts = isList ? elementTexts(parsed.text) : [parsed.text];
	const records: JsonObject[] = [];
	for (const [index, value] of values.entries()) {
		const text = texts[index] ?? "";
		if (!isObject(value)) {
			const path = `[${firstIndex + index}]`;
			return isList
				? refuse(400, "invalid_payload", `"${path}" must be a JSON object.`, path)
				: refuse(400, "invalid_payload", "The body must be a JSON object or a list of JSON objects.");
		}
		const refusal = refuseStructure(text);
		if (refusal !== null) return refusal;
		records.push({ text, value });
	}
	return { ok: true, records, isList };
}

/** Returns the path of a record's field in the request, for refusals: `[3].id`, or `id`. */
export function pathOf(isList: boolean, index: number, field: string): string {
	return isList ? `[${index}].${field}` : field;
}
