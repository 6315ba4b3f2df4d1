/** Bounded concurrency: an invocation has six connections, and memory for only a few responses. */

/** Runs `work` for every item, started in order, at most `limit` at once. Rejects if one of them rejects. */
export async function concurrently<T>(
	items: Iterable<T>,
	limit: number,
	work: (item: T) => Promise<void>,
): Promise<void> {
	// The workers share one iterator, so each takes the next free item.
	const left = items[Symbol.iterator]();
	const worker = async (): Promise<void> => {
		for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
	};
	await Promise.all(Array.from({ length: limit }, worker));
}
