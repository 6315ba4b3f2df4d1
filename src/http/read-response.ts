/** Reads a provider's response up to a limit. */

/** Returns the body, or null if it exceeds `maxBytes`. Throws if the connection closes before the body is complete. */
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
