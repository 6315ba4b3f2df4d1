/** Patterns for event types in subscriptions and queries. */

/** Returns whether `type` equals `pattern`, or begins with it if the pattern ends with `*`. */
export function typeMatches(pattern: string, type: string): boolean {
	return pattern.endsWith("*") ? type.startsWith(pattern.slice(0, -1)) : type === pattern;
}
