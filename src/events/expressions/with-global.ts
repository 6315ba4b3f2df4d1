/**
 * Replaces JavaScript globals during JSONata calls, to limit two operations: while parsing, JSONata copies the left
 * side of `??` and `?:` through JSON text, which doubles with every level, and `$toMillis` runs a regular expression
 * built from a picture. Both are synchronous, so the global is replaced only for that time.
 */

/** Runs `work`, which must be synchronous, with `globalThis[name]` replaced by `stand`. */
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
