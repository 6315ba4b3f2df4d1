/** Structured logs: one JSON line per event. Lines never contain a secret, a payload or a header value. */

/** Writes one line. Omits fields that are undefined. */
export function log(event: string, fields: Record<string, unknown>): void {
	console.log(JSON.stringify({ event, ...fields }));
}
