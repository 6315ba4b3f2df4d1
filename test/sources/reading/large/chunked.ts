/** Bytes in chunks, as a connection brings them. */

/** `cuts` are the places where a chunk ends, as fractions of the whole. */
export function chunked(text: string, cuts: readonly number[]): Uint8Array[] {
	const bytes = new TextEncoder().encode(text);
	const ends = [...cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b), bytes.length];
	let start = 0;
	return ends.map((end) => {
		const chunk = bytes.slice(start, end);
		start = end;
		return chunk;
	});
}
