/**
 * How long a server asks clients to wait, if it says so only in its error text, as Replicate and
 * other Django servers do.
 */

const WAIT = /\b(?:available|resets?)\s+in\s+~?\s*(\d{1,9}(?:\.\d{1,9})?)(?!\d)\s*([a-z]*)/i;

const UNIT_MS: readonly (readonly [RegExp, number])[] = [
	[/^(?:ms|milliseconds?)$/i, 1],
	[/^(?:s|secs?|seconds?|)$/i, 1_000],
	[/^(?:m|mins?|minutes?)$/i, 60_000],
	[/^(?:h|hours?)$/i, 3_600_000],
];

/**
 * Milliseconds in "Expected available in 3 seconds." or "resets in ~30s"; null if the text gives no
 * wait.
 */
export function waitIn(text: string): number | null {
	const [, number, unit = ""] = WAIT.exec(text) ?? [];
	const unitMs = UNIT_MS.find(([name]) => name.test(unit))?.[1];
	return number === undefined || unitMs === undefined ? null : Math.ceil(Number(number) * unitMs);
}
