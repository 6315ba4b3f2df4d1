/**
 * Pages of lists, and the cursors between them. A cursor names the last item that was shown and not
 * a number of items, so a list may grow while it is read. Clients treat it as opaque. Lists over
 * many objects have a longer cursor (walk.ts).
 */
import type { Context } from "hono";
import * as z from "zod";
import type { ListPosition, ListQuery } from "../../store/rows.ts";
import { DEFAULT_LIMIT, invalidQuery, pageQuery, readQuery } from "./query.ts";

/**
 * The place after an item: the sort key of the list (a time or a position), and an id to order
 * equal keys.
 */
export interface Place {
	at: number;
	id: string;
}

const VERSION = 1;
const placeSchema = z.tuple([z.literal(VERSION), z.string(), z.number(), z.string()]);

/** `list` names the list, so that other lists refuse the cursor. */
export function encodeCursor(list: string, { at, id }: Place): string {
	return encodeText(JSON.stringify([VERSION, list, at, id]));
}

/** Text in a form that is safe in a query. */
export function encodeText(text: string): string {
	return Buffer.from(text).toString("base64url");
}

/** The content of a cursor, not yet checked; null if it is not a cursor. */
export function parseCursor(cursor: string): unknown {
	return parseOrNull(Buffer.from(cursor, "base64url").toString());
}

/** Throws 400 `invalid_query` if `cursor` is not from this list. */
export function decodeCursor(list: string, cursor: string | undefined): Place | null {
	if (cursor === undefined) return null;
	const parsed = placeSchema.safeParse(parseCursor(cursor));
	if (parsed.success && parsed.data[1] === list) return { at: parsed.data[2], id: parsed.data[3] };
	const message =
		"not a cursor of this list; use next_cursor of the previous page, or leave it out for the first page";
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

/** Limit of rows that one page reads if it shows only some of them. */
const MAX_READS = 10;

/**
 * One page of a list in D1. `read` is asked for one item more than the page holds; if it gets that,
 * there is a next page. `schema`: for a list with more query parameters; `read` gets them as its
 * second argument. `keep`: for conditions that the database cannot check. Such a page may have
 * fewer items than its limit although there are more.
 */
export async function readPage<T extends ListPosition, S extends PageSchema = typeof pageOnly>(
	c: Context,
	list: string,
	read: (page: ListQuery, query: z.output<S>) => Promise<T[]>,
	schema?: S,
	keep?: (item: T, query: z.output<S>) => boolean,
): Promise<{ items: T[]; nextCursor: string | null }> {
	const query = readQuery(c, schema ?? pageOnly) as z.output<S>;
	const { limit = DEFAULT_LIMIT, cursor } = query;
	const place = decodeCursor(list, cursor);
	let after = place && { createdAt: place.at, id: place.id };
	const kept: T[] = [];
	for (let reads = 0; reads < MAX_READS; reads++) {
		const found = await read({ after, limit: limit + 1 }, query);
		kept.push(...(keep === undefined ? found : found.filter((item) => keep(item, query))));
		after = found.at(-1) ?? after;
		if (kept.length > limit || found.length <= limit) {
			const { items, next } = cutPage(kept, limit, placeOf);
			return { items, nextCursor: next && encodeCursor(list, next) };
		}
	}
	return { items: kept, nextCursor: after && encodeCursor(list, placeOf(after)) };
}

function placeOf({ createdAt, id }: ListPosition): Place {
	return { at: createdAt, id };
}

/**
 * Cuts the items to one page; `found` has up to one item more than `limit`. `next`: where the next
 * page begins.
 */
export function cutPage<T>(
	found: readonly T[],
	limit: number,
	placeOf: (item: T) => Place,
): { items: T[]; next: Place | null } {
	const items = found.slice(0, limit);
	const last = items.at(-1);
	return { items, next: found.length > limit && last !== undefined ? placeOf(last) : null };
}
