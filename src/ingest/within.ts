/** Waiting for a limited time only. */

/** What `work` gives; rejects with `message` when that takes longer than `ms`. The work itself goes on. */
export async function within<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(message)), ms);
	});
	return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
