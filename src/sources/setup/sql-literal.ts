/** Text in SQL. */

/** A string constant; backslashes mean nothing in it. */
export function sqlLiteral(text: string): string {
	return `'${text.replaceAll("'", "''")}'`;
}
