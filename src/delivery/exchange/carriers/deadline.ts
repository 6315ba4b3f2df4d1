/** Limits a call of a binding that cannot be aborted: the router stops waiting for it when its time is over. */

/**
 * Returns what `call` resolves to, or null after `timeoutMs`. Throws what `call` throws before
 * that. The signal is aborted at the deadline, for calls that support it.
 */
export async function within<T>(
	timeoutMs: number,
	call: (signal: AbortSignal) => Promise<T>,
): Promise<{ value: T } | null> {
	const controller = new AbortController();
	let timer: ReturnType<typeof setTimeout> | undefined;
	const deadline = new Promise<null>((resolve) => {
		timer = setTimeout(() => {
			resolve(null);
			controller.abort();
		}, timeoutMs);
	});
	try {
		const called = call(controller.signal).then((value) => ({ value }));
		// The call may fail long after the deadline, when nothing waits for it any more.
		called.catch(() => {});
		return await Promise.race([called, deadline]);
	} finally {
		clearTimeout(timer);
	}
}

export function timedOut(timeoutMs: number, startedAt: number) {
	const message = `No response within ${timeoutMs / 1000} s.`;
	return { kind: "no_response", error: "timeout", message, durationMs: Date.now() - startedAt } as const;
}
