/** Reads a provider's response, but never more of it than such a response can rightly have. */

/** null when the body is longer than `maxBytes`. Throws when the connection ends before the body does. */
export async function readResponse({ body }: Response, maxBytes: number): Promise<string | null> {
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of body ?? []) {
		length += chunk.byteLength;
		if (length > maxBytes) return null;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString();
}
