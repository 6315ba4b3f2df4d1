/**
 * Merges events of logs, or deliveries of dispatchers, into one list, newest first. Each Durable
 * Object orders its own items by position; among equal positions the id of the owner decides.
 */
import type { Slice } from "../../events/position.ts";
import { type Place, cutPage } from "./pages.ts";

export interface Positioned {
	position: number;
}

/** An item and its owner. */
export interface Owned<T> {
	owner: string;
	item: T;
}

/**
 * Limit of calls to one owner for one page: enough for most searches, and a response within seconds
 * for all.
 */
const MAX_CALLS = 10;

export type Read<T> = (owner: string, range: { before?: number; limit: number }) => Promise<Slice<T>>;

/**
 * The newest `limit` items of all owners below `after`. If some owner has not been searched that
 * far, the items end where its search has stopped, and `rest` gives that place.
 */
export async function mergeNewest<T extends Positioned>(
	owners: readonly string[],
	{ after, limit }: { after: Place | null; limit: number },
	read: Read<T>,
): Promise<Slice<Owned<T>>> {
	const slices = await Promise.all(
		owners.map(async (owner) => {
			const { items, rest } = await readOn(owner, after && startBelow(owner, after), limit, read);
			return { items: items.map((item) => ({ owner, item })), rest };
		}),
	);
	const floor = Math.max(0, ...slices.map(({ rest }) => rest ?? 0));
	const found = slices.flatMap(({ items }) => items).filter(({ item }) => item.position >= floor);
	const items = found.sort(newestFirst).slice(0, limit);
	return { items, rest: items.length < limit && floor > 0 ? floor : null };
}

/** Continues where a call has stopped, while items are missing. */
async function readOn<T>(
	owner: string,
	start: number | null,
	limit: number,
	read: Read<T>,
): Promise<Slice<T>> {
	const items: T[] = [];
	let rest = start;
	for (let calls = 0; calls < MAX_CALLS; calls++) {
		const slice = await read(owner, { ...(rest !== null && { before: rest }), limit: limit - items.length });
		items.push(...slice.items);
		rest = slice.rest;
		if (rest === null || items.length >= limit) return { items, rest: null };
	}
	return { items, rest };
}

/**
 * The owners after the one in the cursor may still have an item at exactly the same position.
 */
function startBelow(owner: string, after: Place): number {
	return owner > after.id ? after.at + 1 : after.at;
}

function newestFirst(left: Owned<Positioned>, right: Owned<Positioned>): number {
	if (left.item.position !== right.item.position) return right.item.position - left.item.position;
	return left.owner < right.owner ? -1 : 1;
}

function placeOf({ owner, item }: Owned<Positioned>): Place {
	return { at: item.position, id: owner };
}

/**
 * One page of items that were merged for one more than `limit`. It may have fewer items although
 * there is more to search.
 */
export function cutMerged<T extends Positioned>(
	{ items: found, rest }: Slice<Owned<T>>,
	limit: number,
): { items: Owned<T>[]; next: Place | null } {
	const page = cutPage(found, limit, placeOf);
	return page.next === null && rest !== null ? { ...page, next: placeBelow(rest) } : page;
}

/** The place before everything below `position`, whoever owns it. */
function placeBelow(position: number): Place {
	// No owner sorts after this: ids are ASCII.
	return { at: position, id: "\uffff" };
}
