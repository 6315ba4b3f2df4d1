/** Timeouts: after a timeout, every wait of the demo says what it waited for. */

/** Returns the value of `work`, or rejects with an error that names `what` after `seconds`. */
export async function within<T>(seconds: number, what: string, work: Promise<T>): Promise<T> {
	let timer: NodeJS.Timeout | undefined;
	const deadline = new Promise<never>((_, reject) => {
		timer = setTimeout(
			() => reject(new Error(`${what} took longer than ${seconds} seconds.`)),
			seconds * 1000,
		);
	});
	return Promise.race([work, deadline]).finally(() => clearTimeout(timer));
}
