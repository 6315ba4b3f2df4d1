/**
 * A list over more objects than one page may call. It visits them in blocks: first those that most
 * likely have something new, then the others by age. Within a block the newest items come first; a
 * page ends with its block at the latest, so it may have fewer items than its limit, or none. The
 * cursor contains the objects that came first, the block and the place in it, so that nothing is
 * missed or shown twice, even if objects are created, changed or deleted meanwhile.
 */
import * as z from "zod";
import { cutMerged, mergeNewest, type Owned, type Positioned, type Read } from "./merge.ts";
import { type Block, MAX_ASKED, type Owners } from "./owners.ts";
import { decodeCursor, encodeText, parseCursor, type Place } from "./pages.ts";

interface Walk {
	/** The likely objects at the start of the list. */
	first: readonly string[];
	/** null: the likely objects. */
	block: Block | null;
	/** Where in the block the page begins; null: at its newest item. */
	place: Place | null;
	/**
	 * Where the list begins in every block; set by a cursor of release 0.1, which covered all objects
	 * at once.
	 */
	top: Place | null;
}

/**
 * One page of up to `limit` items. Throws 400 `invalid_query` if `cursor` is not from this list.
 */
export async function readWalk<T extends Positioned>(
	list: string,
	owners: Owners,
	{ cursor, limit }: { cursor: string | undefined; limit: number },
	read: Read<T>,
): Promise<{ items: Owned<T>[]; nextCursor: string | null }> {
	const walk = decodeWalk(list, cursor) ?? (await begin(owners, decodeCursor(list, cursor)));
	const asked = await askedBy(walk, owners);
	const found = await mergeNewest(asked, { after: walk.place, limit: limit + 1 }, read);
	const { items, next } = cutMerged(found, limit);
	const going = next === null ? await nextBlock(walk, owners) : { ...walk, place: next };
	return { items, nextCursor: going && encodeWalk(list, going) };
}

async function begin(owners: Owners, top: Place | null): Promise<Walk> {
	const first = await owners.likely(MAX_ASKED - owners.fixed.length);
	return { first, block: null, place: top, top };
}

async function askedBy({ first, block }: Walk, owners: Owners): Promise<string[]> {
	if (block !== null) return owners.ofBlock(block, first);
	return [...owners.fixed, ...(first.length === 0 ? [] : await owners.existing(first))];
}

async function nextBlock(walk: Walk, owners: Owners): Promise<Walk | null> {
	const block = await owners.blockAfter(walk.block?.last ?? null, walk.first);
	return block && { ...walk, block, place: walk.top };
}

const VERSION = 2;
const place = z.tuple([z.number(), z.string()]);
const walkSchema = z.tuple([
	z.literal(VERSION),
	z.string(),
	place.nullable(),
	z.array(z.string()).max(MAX_ASKED),
	z.tuple([place, place]).nullable(),
	place.nullable(),
]);
type Stored = z.infer<typeof walkSchema>;

function encodeWalk(list: string, { first, block, place, top }: Walk): string {
	const stored: Stored = [
		VERSION,
		list,
		place && toStored(place),
		[...first],
		block && [toStored(block.first), toStored(block.last)],
		top && toStored(top),
	];
	return encodeText(JSON.stringify(stored));
}

/** null if this is not a cursor of this form. */
function decodeWalk(list: string, cursor: string | undefined): Walk | null {
	const parsed = walkSchema.safeParse(cursor === undefined ? null : parseCursor(cursor));
	if (!parsed.success || parsed.data[1] !== list) return null;
	const [, , place, first, block, top] = parsed.data;
	return {
		first,
		block: block && { first: fromStored(block[0]), last: fromStored(block[1]) },
		place: place && fromStored(place),
		top: top && fromStored(top),
	};
}

function toStored({ at, id }: Place): [number, string] {
	return [at, id];
}

function fromStored([at, id]: readonly [number, string]): Place {
	return { at, id };
}
