/** What a request brings in its `Authorization` header: read in one way at every door. */

/**
 * What follows the scheme, whose name knows no case (RFC 9110, section 11.1); without the white space around it. null
 * when there is no such header, or it is of another scheme.
 */
export function credentials(authorization: string | null, scheme: "bearer" | "basic"): string | null {
	const [, given, value] = /^(\S+)\s+(\S.*)$/.exec(authorization ?? "") ?? [];
	return value !== undefined && given?.toLowerCase() === scheme ? value.trimEnd() : null;
}
