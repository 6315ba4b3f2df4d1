/** Sources by reference, including the built-in ones: for subscriptions and published events. */
import type { Env } from "../../env.ts";
import { BUILTIN_SOURCES } from "../../events/ids.ts";
import { findSource, readSourceIds, readSourceNames } from "../../store/resources/sources.ts";

const builtin = new Map<string, string>(Object.entries(BUILTIN_SOURCES));

/** By id or name. */
export async function findSourceRef(env: Env, ref: string): Promise<{ id: string; name: string } | null> {
	for (const [id, name] of builtin) if (ref === id || ref === name) return { id, name };
	return findSource(env, ref);
}

/** Names by id. A deleted source has none. */
export async function readNamesOfSources(env: Env, ids: readonly string[]): Promise<Map<string, string>> {
	const stored = ids.filter((id) => !builtin.has(id));
	return new Map([...builtin, ...(stored.length > 0 ? await readSourceNames(env, stored) : [])]);
}

/** Ids of the existing sources with these names. */
export async function readIdsOfSources(env: Env, names: readonly string[]): Promise<string[]> {
	const always = [...builtin].filter(([, name]) => names.includes(name)).map(([id]) => id);
	return [...always, ...(await readSourceIds(env, names))];
}

/** The ids of the built-in sources. */
export const BUILTIN_SOURCE_IDS: readonly string[] = [...builtin.keys()];

/** Ids and names of the built-in sources. */
export const BUILTIN_NAMES: readonly (readonly [id: string, name: string])[] = [...builtin];
