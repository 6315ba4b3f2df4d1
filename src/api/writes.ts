/** What the routes that write have in common: the outcome of an update as a record or a refusal. */
import { Problem } from "../problem.ts";
import type { Update } from "../store/rows.ts";

/** The record after an update; throws the refusal that belongs to any other outcome. */
export function recordOf<T>(update: Update<T>, refusals: { gone: () => Problem; taken?: () => Problem }): T {
	switch (update.outcome) {
		case "updated":
			return update.record;
		case "gone":
			throw refusals.gone();
		case "name_taken":
			throw refusals.taken?.() ?? new Problem(409, "name_taken", "The name is taken.");
	}
}

/** The named fields only: under exactOptionalPropertyTypes an undefined one would count as named. */
export function named<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
	return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
