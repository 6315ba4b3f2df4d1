/** Waiting with a timeout. */

/** Resolves like `work`, or rejects with `message` after `ms`. The work itself continues. */
export async function within<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Error(message)), ms);
	});
	return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
