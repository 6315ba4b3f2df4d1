/** Structured logs: one JSON line for each thing that happened. Never a secret, a payload or a header value. */

/** Writes one line; fields that are undefined are left out. */
export function log(event: string, fields: Record<string, unknown>): void {
	console.log(JSON.stringify({ event, ...fields }));
}
