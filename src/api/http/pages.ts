/**
 * Pages of lists and the cursors that lead from one to the next. A cursor names the last item that was shown and
 * not a number of items, so a list may grow while it is read. To clients it is opaque. Lists out of many objects have a
 * longer one, of walk.ts.
 */
import type { Context } from "hono";
import * as z from "zod";
import type { ListPosition, ListQuery } from "../../store/rows.ts";
import { DEFAULT_LIMIT, invalidQuery, pageQuery, readQuery } from "./query.ts";

/** The place behind an item: what the list is ordered by (a time or a position), and an id among equals. */
export interface Place {
	at: number;
	id: string;
}

const VERSION = 1;
const placeSchema = z.tuple([z.literal(VERSION), z.string(), z.number(), z.string()]);

/** `list` names the list, so that the cursor of one is refused by another. */
export function encodeCursor(list: string, { at, id }: Place): string {
	return encodeText(JSON.stringify([VERSION, list, at, id]));
}

/** Text as it may stand in a query. */
export function encodeText(text: string): string {
	return Buffer.from(text).toString("base64url");
}

/** What a cursor holds, not yet judged; null when it is no cursor at all. */
export function parseCursor(cursor: string): unknown {
	return parseOrNull(Buffer.from(cursor, "base64url").toString());
}

/** Throws 400 `invalid_query` when `cursor` did not come from this list. */
export function decodeCursor(list: string, cursor: string | undefined): Place | null {
	if (cursor === undefined) return null;
	const parsed = placeSchema.safeParse(parseCursor(cursor));
	if (parsed.success && parsed.data[1] === list) return { at: parsed.data[2], id: parsed.data[3] };
	const message = "not a cursor of this list; take next_cursor of the page before, or leave it out to begin";
	throw invalidQuery([{ path: "cursor", message }]);
}

function parseOrNull(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

const pageOnly = z.strictObject(pageQuery);
type PageSchema = z.ZodObject<typeof pageQuery>;

/**
 * One page of a list in D1. `read` is asked for one item more than the page holds: that there is one says that
 * there is a next page. `schema`: for a list that takes more in its query; `read` gets it as its second argument.
 */
export async function readPage<T extends ListPosition, S extends PageSchema = typeof pageOnly>(
	c: Context,
	list: string,
	read: (page: ListQuery, query: z.output<S>) => Promise<T[]>,
	schema?: S,
): Promise<{ items: T[]; nextCursor: string | null }> {
	const query = readQuery(c, schema ?? pageOnly);
	const { limit = DEFAULT_LIMIT, cursor } = query;
	const place = decodeCursor(list, cursor);
	const after = place && { createdAt: place.at, id: place.id };
	const found = await read({ after, limit: limit + 1 }, query as z.output<S>);
	const { items, next } = cutPage(found, limit, ({ createdAt, id }) => ({ at: createdAt, id }));
	return { items, nextCursor: next && encodeCursor(list, next) };
}

/** Cuts what was read down to the page; `found` holds up to one item more than `limit`. `next`: where the next begins. */
export function cutPage<T>(
	found: readonly T[],
	limit: number,
	placeOf: (item: T) => Place,
): { items: T[]; next: Place | null } {
	const items = found.slice(0, limit);
	const last = items.at(-1);
	return { items, next: found.length > limit && last !== undefined ? placeOf(last) : null };
}
