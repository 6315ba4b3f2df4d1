/** Patterns over event types, as subscriptions and queries write them. */

/** True when `type` is `pattern`, or begins with it where the pattern ends in `*`. */
export function typeMatches(pattern: string, type: string): boolean {
	return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}
