/**
 * What the routes that write have in common: changes computed from the stored record, and the given
 * fields of a body.
 */
import type { Env } from "../../env.ts";
import type { ResourcePrefix } from "../../events/ids.ts";
import { Problem } from "../../http/problem.ts";
import { isDeleted } from "../../store/deleted.ts";
import type { ReadAs, Update } from "../../store/rows.ts";
import { differing } from "../fields/compare.ts";

/** How often a change is computed: a second time if the record has changed in between. */
const MAX_TRIES = 2;

/** How `changeRecord` handles a kind of resource. */
export interface Changeable<T, C extends object> {
	/** By id or any other reference. Throws 404. */
	get: (env: Env, ref: string) => Promise<T>;
	update: (env: Env, former: ReadAs, changes: Partial<C>) => Promise<Update<T>>;
	/** The part of a change that is written although it is stored already, because writing it has an effect. */
	always?: (changes: C) => Partial<C>;
	/** The refusal for a name that is already used. */
	taken: (changes: Partial<C>) => Problem;
}

export interface Changed<T, C> {
	former: T;
	record: T;
	/** null: nothing was changed, and `record` is `former`. */
	changes: Partial<C> | null;
}

/**
 * Reads a record, computes the change (null: none), and writes what of it differs if the record has
 * not changed in between; otherwise all of this once more. So of two concurrent changes both take effect, or one
 * of them is refused. Throws what `get` and `compute` throw, 409 `name_taken`, and 409
 * `changed_meanwhile`.
 */
export async function changeRecord<T extends ReadAs & Record<keyof C, unknown>, C extends object>(
	env: Env,
	{ get, update, taken, always }: Changeable<T, C>,
	ref: string,
	compute: (former: T) => C | null | Promise<C | null>,
): Promise<Changed<T, C>> {
	let former = await get(env, ref);
	for (let tries = 1; ; tries++) {
		const changes = differingFrom<C>(former, await compute(former), always);
		if (changes === null) return { former, record: former, changes };
		const updated = await update(env, former, changes);
		if (updated.outcome === "updated") return { former, record: updated.record, changes };
		if (updated.outcome === "name_taken") throw taken(changes);
		// By its id, because the change in between may have renamed it.
		former = await get(env, former.id);
		if (tries === MAX_TRIES) throw changedMeanwhile();
	}
}

/** The part of `changes` that is not stored yet; null: none of it. */
function differingFrom<C extends object>(
	former: Record<keyof C, unknown>,
	changes: C | null,
	always: Changeable<never, C>["always"],
): Partial<C> | null {
	if (changes === null) return null;
	const differences = { ...always?.(changes), ...differing<C>(withoutUnreadable(former), changes) };
	return Object.keys(differences).length === 0 ? null : differences;
}

/** Unreadable columns of a subscription are read as empty, and differ from every value. */
export function withoutUnreadable<T extends object>(record: T): T {
	const columns = "unreadable" in record && Array.isArray(record.unreadable) ? record.unreadable : [];
	return { ...record, ...Object.fromEntries(columns.map((column) => [column, undefined])) };
}

export function changedMeanwhile(): Problem {
	const detail =
		"Another request is changing the resource, so this change was not made. Send the request again.";
	return new Problem(409, "changed_meanwhile", detail);
}

/** The form that `newId` generates; ids of built-in sources look different. */
const STORED_ID = /^[a-z]+_[0-9a-z]{10}$/;

/**
 * Whether `ref`, which was not found, is the id of a resource that was not deleted: it was lost
 * with its database. It may still be deleted, to end deliveries that wait for it.
 */
export async function isLost(env: Env, prefix: ResourcePrefix, ref: string): Promise<boolean> {
	return ref.startsWith(`${prefix}_`) && STORED_ID.test(ref) && !(await isDeleted(env, ref));
}

/**
 * Only the given fields: under exactOptionalPropertyTypes an undefined field would count as given.
 */
export function named<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
	return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
