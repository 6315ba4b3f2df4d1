/** Whether two values of the API are the same, and where they differ. Pure. */

/**
 * Whether both are the same JSON, in any order of members; an undefined member counts as absent.
 */
export function isSame(left: unknown, right: unknown): boolean {
	if (Object.is(left, right)) return true;
	if (Array.isArray(left) || Array.isArray(right)) {
		if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
		return left.every((value, index) => isSame(value, right[index]));
	}
	if (!isObject(left) || !isObject(right)) return false;
	return [...membersOf(left, right)].every((name) => isSame(left[name], right[name]));
}

/**
 * The paths at which `right` differs from `left`, in dotted form and in order; objects are compared
 * member by member, a list is one value. Empty if they are the same.
 */
export function differingPaths(left: unknown, right: unknown, path = ""): string[] {
	if (isSame(left, right)) return [];
	if (!isObject(left) || !isObject(right)) return [path];
	const names = [...membersOf(left, right)];
	return names.flatMap((name) =>
		differingPaths(left[name], right[name], path === "" ? name : `${path}.${name}`),
	);
}

/**
 * The members of `next` that are missing in `former` or have another value there.
 */
export function differing<T extends object>(former: { [K in keyof T]: unknown }, next: T): Partial<T> {
	const entries = (Object.entries(next) as [keyof T, unknown][]).filter(
		([name, value]) => !isSame(former[name], value),
	);
	return Object.fromEntries(entries) as Partial<T>;
}

export function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function membersOf(left: object, right: object): Set<string> {
	return new Set([...Object.keys(left), ...Object.keys(right)]);
}
