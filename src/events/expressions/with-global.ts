/**
 * JSONata does two things with JavaScript's globals that cannot be bounded from outside: while it parses, it copies
 * the left side of `??` and `?:` by way of JSON text, which doubles with every level, and `$toMillis` runs a regular
 * expression that it makes of a picture. Both are synchronous, so the global is another one for just that long.
 */

/** Runs `work`, which must be synchronous, while `globalThis[name]` is `stand`. */
export function withGlobal<T>(name: "JSON" | "RegExp", stand: unknown, work: () => T): T {
	const own = globalThis[name];
	set(name, stand);
	try {
		return work();
	} finally {
		set(name, own);
	}
}

function set(name: string, value: unknown): void {
	Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
}
