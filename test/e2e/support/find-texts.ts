/** Looks for texts in everything below a folder, byte for byte, whatever the files are: databases, logs, blobs. */
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";

export interface Found {
	/** Path below the folder. */
	file: string;
	/** The name that the text goes by. */
	name: string;
}

/** `texts` by the name they are reported by. Each is looked for as it stands, and as Base64 and percent-encoding show it. */
export async function findTexts(folder: string, texts: Record<string, string>): Promise<Found[]> {
	const entries = await readdir(folder, { recursive: true, withFileTypes: true });
	const found: Found[] = [];
	for (const entry of entries.filter((entry) => entry.isFile())) {
		const path = join(entry.parentPath, entry.name);
		// A database may drop a file of its own between the two calls.
		const content = await readFile(path).catch(() => Buffer.alloc(0));
		for (const name of namesIn(content, texts)) found.push({ file: relative(folder, path), name });
	}
	return found;
}

/** The names of the texts that `content` holds. */
export function namesIn(content: Buffer | string, texts: Record<string, string>): string[] {
	return Object.entries(texts)
		.filter(([, text]) => formsOf(text).some((form) => content.includes(form)))
		.map(([name]) => name);
}

function formsOf(text: string): string[] {
	const base64 = Buffer.from(text).toString("base64").replace(/=+$/, "");
	return [text, base64, encodeURIComponent(text)];
}
