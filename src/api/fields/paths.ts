/** Reads and replaces values in JSON by path. Pure: arguments are never changed. */
import { isObject } from "./compare.ts";

/** undefined: there is nothing at this path. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
	let found = value;
	for (const name of path) found = isObject(found) && Object.hasOwn(found, name) ? found[name] : undefined;
	return found;
}

/**
 * `value` with a replacement at the path; undefined removes the member. A path through something
 * that is not an object changes nothing.
 */
export function withValueAt(
	value: Record<string, unknown>,
	path: readonly string[],
	put: unknown,
): Record<string, unknown> {
	const [first, ...rest] = path;
	if (first === undefined) return value;
	if (rest.length > 0) {
		const inner = value[first];
		return isObject(inner) ? { ...value, [first]: withValueAt(inner, rest, put) } : value;
	}
	const { [first]: _, ...others } = value;
	return put === undefined ? others : { ...value, [first]: put };
}
