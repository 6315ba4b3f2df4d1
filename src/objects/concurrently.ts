/** Doing many things at once, but not too many: an invocation has six connections, and memory for a few responses. */

/** Runs `work` for every item, at most `limit` at once, in order of their beginning. Rejects when one of them does. */
export async function concurrently<T>(
	items: Iterable<T>,
	limit: number,
	work: (item: T) => Promise<void>,
): Promise<void> {
	// One iterator for all: each worker takes the next item that nobody has.
	const left = items[Symbol.iterator]();
	const worker = async (): Promise<void> => {
		for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
	};
	await Promise.all(Array.from({ length: limit }, worker));
}
