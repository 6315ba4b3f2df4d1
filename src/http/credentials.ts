/** Reads the `Authorization` header, in the same way for every route. */

/**
 * Returns the trimmed credentials after the scheme, whose name is case-insensitive (RFC 9110, section 11.1), or null if
 * the header is missing or has another scheme.
 */
export function credentials(authorization: string | null, scheme: "bearer" | "basic"): string | null {
	const [, given, value] = /^(\S+)\s+(\S.*)$/.exec(authorization ?? "") ?? [];
	return value !== undefined && given?.toLowerCase() === scheme ? value.trimEnd() : null;
}
