/** Which objects a list calls: a few known ones, or those of all endpoints or all sources. */
import type { Env } from "../../env.ts";
import {
	type Names,
	type OwnerTable,
	readBehind,
	readBetween,
	readExisting,
} from "../../store/views/owners.ts";
import type { Place } from "./pages.ts";

/** Objects that one page calls at most. */
export const MAX_ASKED = 50;

/** Owners between two places of an order that never changes, both included. */
export interface Block {
	first: Place;
	last: Place;
}

export interface Owners {
	/** Called first, together with the likely ones. No more than `MAX_ASKED`. */
	fixed: readonly string[];
	/** Up to `limit` others, the ones that most likely have something new first. */
	likely(limit: number): Promise<string[]>;
	/** Those of `ids` that still exist. */
	existing(ids: readonly string[]): Promise<string[]>;
	/** The first `MAX_ASKED` after `after` as a block, without `except`; null if there are none. */
	blockAfter(after: Place | null, except: readonly string[]): Promise<Block | null>;
	/** The owners of a block that still exist. */
	ofBlock(block: Block, except: readonly string[]): Promise<string[]>;
}

/** A list with fixed owners. */
export function listedOwners(ids: readonly string[]): Owners {
	const rest = ids.slice(MAX_ASKED);
	return {
		fixed: ids.slice(0, MAX_ASKED),
		likely: async () => [],
		existing: async () => [],
		async blockAfter(after) {
			const start = after === null ? 0 : after.at + 1;
			return blockOf(rest.slice(start, start + MAX_ASKED).map((id, index) => ({ at: start + index, id })));
		},
		// A cursor may be made up, and name a larger block.
		ofBlock: async ({ first, last }) => rest.slice(first.at, last.at + 1).slice(0, MAX_ASKED),
	};
}

/**
 * All owners in a table, or those with these names. Those that are not likely are called by age,
 * which does not change while a list is read.
 */
export function ownersOfTable(
	env: Env,
	table: OwnerTable,
	{
		fixed = [],
		likely,
		names = null,
	}: { fixed?: readonly string[]; likely: Owners["likely"]; names?: Names },
): Owners {
	return {
		fixed,
		likely,
		existing: (ids) => readExisting(env, table, ids, names),
		async blockAfter(after, except) {
			const from = after && { createdAt: after.at, id: after.id };
			const found = await readBehind(env, table, { after: from, except, limit: MAX_ASKED, names });
			return blockOf(found.map(({ createdAt, id }) => ({ at: createdAt, id })));
		},
		ofBlock: (block, except) => readBetween(env, table, { ...block, except, names }),
	};
}

function blockOf(places: readonly Place[]): Block | null {
	const [first, last] = [places[0], places.at(-1)];
	return first === undefined || last === undefined ? null : { first, last };
}
