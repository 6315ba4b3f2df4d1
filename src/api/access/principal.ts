/**
 * Who sends a request, and which names they may use. Pure: everything here is known
 * once the key is.
 */
import { BUILTIN_SOURCES, SLUICE_SOURCE_ID } from "../../events/ids.ts";
import { NO_SCOPE, type Role, type Scope } from "../../store/access/keys.ts";

const OPERATIONAL_SOURCE = BUILTIN_SOURCES[SLUICE_SOURCE_ID];

export interface Principal {
	/** `key_…`, or `root` for ADMIN_TOKEN. */
	id: string;
	/** The key's name; `root` for ADMIN_TOKEN. */
	name: string;
	role: Role;
	/** Applies to publishers and subscribers; the other roles have all names or none. */
	scope: Scope;
}

export const ROOT: Principal = { id: "root", name: "root", role: "admin", scope: NO_SCOPE };

/** Whether one of `patterns` is this name, or a prefix of it followed by `*`. */
export function covers(patterns: readonly string[], name: string): boolean {
	return patterns.some((pattern) =>
		pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
	);
}

/** Whether `patterns` cover every possible name. */
export function coversAll(patterns: readonly string[]): boolean {
	return patterns.includes("*");
}

/**
 * Whether a key may access the events of a source. null: of every source except operational events.
 * Operational events are about everybody's endpoints and keys, so only a key that names their
 * source may access them, and not one with "*".
 */
export function coversSource({ role, scope }: Principal, name: string | null): boolean {
	if (role === "admin") return true;
	if (name === OPERATIONAL_SOURCE) return scope.sources.includes(name);
	return name === null ? coversAll(scope.sources) : covers(scope.sources, name);
}
