/** Sources by reference where the builtin ones count too: in subscriptions and in what has been published. */
import type { Env } from "../../env.ts";
import { BUILTIN_SOURCES } from "../../events/ids.ts";
import { findSource, readSourceIds, readSourceNames } from "../../store/sources.ts";

const builtin = new Map<string, string>(Object.entries(BUILTIN_SOURCES));

/** By id or name. */
export async function findSourceRef(env: Env, ref: string): Promise<{ id: string; name: string } | null> {
	for (const [id, name] of builtin) if (ref === id || ref === name) return { id, name };
	return findSource(env, ref);
}

/** Names by id. A source that has been deleted has none. */
export async function readNamesOfSources(env: Env, ids: readonly string[]): Promise<Map<string, string>> {
	const stored = ids.filter((id) => !builtin.has(id));
	return new Map([...builtin, ...(stored.length > 0 ? await readSourceNames(env, stored) : [])]);
}

/** Ids of the sources with these names that there are. */
export async function readIdsOfSources(env: Env, names: readonly string[]): Promise<string[]> {
	const always = [...builtin].filter(([, name]) => names.includes(name)).map(([id]) => id);
	return [...always, ...(await readSourceIds(env, names))];
}

/** The ids of the sources that are always there. */
export const BUILTIN_SOURCE_IDS: readonly string[] = [...builtin.keys()];
