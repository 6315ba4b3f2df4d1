/**
 * Marks stored decisions whose dispatchers had no room for them. Changes the stored JSON in place, so that members
 * written by a newer release are kept.
 */
import * as z from "zod";
import { decisionsText, replaceDecisions } from "./segments.ts";

/** The refused deliveries of one event. */
export interface Refusal {
	eventId: string;
	deliveryIds: string[];
}

const lists = z.array(z.array(z.looseObject({ deliveryId: z.string() })));

/**
 * Stores that the deliveries of these events, by position, were refused or are no longer refused. Reads and writes each
 * row once, and only if it changes. Must run in a transaction.
 */
export function putRefusals(
	sql: SqlStorage,
	refusals: ReadonlyMap<number, ReadonlySet<string>>,
	isRefused: boolean,
): void {
	const positions = [...refusals.keys()].sort((left, right) => right - left);
	for (let next = positions.shift(); next !== undefined; next = positions.shift()) {
		const row = sql
			.exec<{ seq: number; decisions: string }>(
				"SELECT seq, decisions FROM segments WHERE seq <= ? ORDER BY seq DESC LIMIT 1",
				next,
			)
			.toArray()[0];
		if (row === undefined) return;
		const { seq } = row;
		const here = [next];
		while ((positions[0] ?? -1) >= seq) here.push(...positions.splice(0, 1));
		const before = decisionsText(sql, row);
		const after = changed(
			before,
			here.map((position) => [position - seq, refusals.get(position) ?? new Set()] as const),
			isRefused,
		);
		if (after !== before) replaceDecisions(sql, seq, after);
	}
}

/** Returns the text with changed decisions of these entries, or unchanged if it is unreadable. Pure. */
export function changed(
	text: string,
	entries: readonly (readonly [index: number, deliveryIds: ReadonlySet<string>])[],
	isRefused: boolean,
): string {
	const parsed = lists.safeParse(parseOrNull(text));
	if (!parsed.success) return text;
	for (const [index, deliveryIds] of entries) {
		for (const decision of parsed.data[index] ?? []) {
			if (!deliveryIds.has(decision.deliveryId)) continue;
			if (isRefused) decision["refused"] = "backlog_full";
			else delete decision["refused"];
		}
	}
	return JSON.stringify(parsed.data);
}

function parseOrNull(json: string): unknown {
	try {
		return JSON.parse(json);
	} catch {
		return null;
	}
}
