/** Quoting for SQL. */

/** Returns a string constant, in which backslashes have no special meaning. */
export function sqlLiteral(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}
