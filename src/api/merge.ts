/**
 * One list out of many: events of all logs and deliveries of all dispatchers, newest first. Each Durable Object
 * orders its own by position; among equal positions the id of the owner decides.
 */
import type { Place } from "./pages.ts";

export interface Positioned {
	position: number;
}

/** An item, and who had it. */
export interface Owned<T> {
	owner: string;
	item: T;
}

/** Reads at most `limit` items below position `before` from each owner and keeps the newest `limit` of all. */
export async function mergeNewest<T extends Positioned>(
	owners: readonly string[],
	{ after, limit }: { after: Place | null; limit: number },
	read: (owner: string, range: { before?: number; limit: number }) => Promise<T[]>,
): Promise<Owned<T>[]> {
	const lists = await Promise.all(
		owners.map(async (owner) => {
			const range = after === null ? {} : { before: startBelow(owner, after) };
			const items = await read(owner, { ...range, limit });
			return items.map((item) => ({ owner, item }));
		}),
	);
	return lists.flat().sort(newestFirst).slice(0, limit);
}

/** The owners after the one in the cursor may still have an item at the very same position. */
function startBelow(owner: string, after: Place): number {
	return owner > after.id ? after.at + 1 : after.at;
}

function newestFirst(left: Owned<Positioned>, right: Owned<Positioned>): number {
	if (left.item.position !== right.item.position) return right.item.position - left.item.position;
	return left.owner < right.owner ? -1 : 1;
}

export function placeOf({ owner, item }: Owned<Positioned>): Place {
	return { at: item.position, id: owner };
}
